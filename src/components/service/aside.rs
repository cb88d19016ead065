//! What a handler's step does about a cache: who is asked, filled and told, in which order.
//!
//! A read that misses asks the component behind the cache and fills, unless the cache asks itself;
//! a write goes past the cache, which is told of it, unless the cache takes writes. It knows of a
//! cache what every caller knows ([`Aside`](crate::components::names::Aside)).

use super::plan::{Key, Step};
use super::program::Builder;
use crate::components::call::Access;
use crate::components::names::AfterWrite;
use crate::components::topology::{ComponentId, DataId};
use crate::engine::stream::salt;

impl Builder<'_, '_, '_> {
    /// Reads an item at a component, or by way of it.
    pub(super) fn read_at(
        &mut self,
        target: ComponentId,
        data: Option<DataId>,
        salt: u64,
        key: Key,
    ) {
        let aside = self.planner.asides[target.index()];
        let over = aside.over.filter(|_| !aside.asks);
        let past = aside.over.filter(|_| self.falls_back(target));
        self.call(target, Access::Read, data, salt, key);
        if past.is_some() {
            self.mark_optional();
        }
        let on_hit = over.map(|_| self.placeholder());
        // The lookup itself failed: past the cache, which is not filled.
        let mut on_end = None;
        if let Some(past) = past {
            let answered = self.placeholder();
            self.call(past, Access::Read, data, salt, key);
            on_end = over.map(|_| self.placeholder());
            self.steps[answered] = Step::SkipIfAnswered { to: self.position() };
        }
        if let Some(over) = over {
            self.call(over, Access::Read, data, salt, key);
            self.upkeep(target, Access::Fill, data, salt, key);
        }
        let to = self.position();
        if let Some(step) = on_hit {
            self.steps[step] = Step::SkipIfHit { to };
        }
        if let Some(step) = on_end {
            self.steps[step] = Step::Jump { to };
        }
    }

    /// Writes an item at a component, or where it keeps its items.
    pub(super) fn write_at(
        &mut self,
        target: ComponentId,
        data: Option<DataId>,
        salt: u64,
        key: Key,
        count: u16,
    ) {
        let aside = self.planner.asides[target.index()];
        let past = aside.over.filter(|_| !aside.takes_writes);
        self.call(past.unwrap_or(target), Access::Write, data, salt, key);
        if let Some(Step::Call { statements, .. }) = self.steps.last_mut() {
            *statements = count;
        }
        let told = match aside.after_write {
            AfterWrite::Drop => Access::Invalidate,
            AfterWrite::Update => Access::Update,
            AfterWrite::Nothing => return,
        };
        if past.is_some() {
            self.upkeep(target, told, data, salt, key);
        }
    }

    /// Whether a lookup that fails goes on to the component behind the cache.
    fn falls_back(&self, target: ComponentId) -> bool {
        let calls = &self.config.caller.calls.value;
        let written = calls.get(self.planner.bare_name_of(target));
        written.is_some_and(|config| config.value.fallback.value.is_some())
    }

    /// A step to be set when it is known where it leads.
    fn placeholder(&mut self) -> usize {
        self.steps.push(Step::End);
        self.steps.len() - 1
    }

    /// A call that keeps a cache up to date: the caller shrugs off its failure.
    fn upkeep(
        &mut self,
        target: ComponentId,
        access: Access,
        data: Option<DataId>,
        base: u64,
        key: Key,
    ) {
        self.call(target, access, data, base ^ salt("cache upkeep"), key);
        self.mark_optional();
    }

    fn mark_optional(&mut self) {
        if let Some(Step::Call { optional, .. }) = self.steps.last_mut() {
            *optional = true;
        }
    }
}
