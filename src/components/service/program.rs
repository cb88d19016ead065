//! From the steps of a handler to a flat program, and what a program does on average.

use std::collections::BTreeMap;

use super::config::{KeyConfig, ReadStep, ServiceConfig, StepConfig, WriteStep};
use super::plan::{Key, ServicePlan, SessionsPlan, Step};
use crate::components::call::{Access, LOOPS};
use crate::components::facts::{Facts, Visit};
use crate::components::figures::Declared;
use crate::components::names::{Planner, word};
use crate::components::topology::{ComponentId, DataId, OperationId, Topology};
use crate::engine::slots::UNLIMITED;
use crate::engine::stream::salt;
use crate::language::{Name, Span, Spanned};
use crate::random::CountDistribution;

/// The entry of an operation that has no program here.
pub(super) const NO_PROGRAM: u16 = u16::MAX;

/// Builds the programs of one service.
pub(super) struct Builder<'c, 'p, 'd> {
    id: ComponentId,
    pub(super) config: &'c ServiceConfig,
    pub(super) planner: &'p mut Planner<'d>,
    pub(super) steps: Vec<Step>,
    /// How often each (verb, target) has stood in this handler: a step's draws are told apart by
    /// that, so that another step before it leaves them alone.
    seen: BTreeMap<String, u32>,
    handler: String,
    depth: u8,
}

/// The programs of one service.
pub(super) struct Programs {
    /// All steps.
    pub steps: Vec<Step>,
    /// Where each operation's begin.
    pub entries: Vec<u16>,
    /// Where its own begin, behind those about the session.
    pub bodies: Vec<u16>,
}

/// The operations that steps rename their calls to.
pub(super) fn renamed<'s>(steps: &'s [StepConfig], words: &mut Vec<(&'s str, Span)>) {
    for step in steps {
        match step {
            StepConfig::Call(call) => {
                if let Some(name) = &call.r#as.value {
                    words.push((&name.0, call.r#as.span));
                }
            }
            StepConfig::Parallel(parallel) => {
                for way in &parallel.parallel.value {
                    for step in &way.0 {
                        renamed(std::slice::from_ref(&step.value), words);
                    }
                }
            }
            StepConfig::Repeat(repeat) => renamed(&repeat.repeat.value, words),
            StepConfig::Chance(chance) => {
                renamed(&chance.r#do.value, words);
                renamed(&chance.r#else.value, words);
            }
            StepConfig::Choose(choose) => {
                for way in &choose.choose.value {
                    renamed(&way.r#do.value, words);
                }
            }
            _ => {}
        }
    }
}

impl<'c, 'p, 'd> Builder<'c, 'p, 'd> {
    pub(super) fn new(
        id: ComponentId,
        config: &'c ServiceConfig,
        planner: &'p mut Planner<'d>,
    ) -> Self {
        Self {
            id,
            config,
            planner,
            steps: Vec::new(),
            seen: BTreeMap::new(),
            handler: String::new(),
            depth: 0,
        }
    }

    /// The steps of all programs, and where each operation's begin.
    pub(super) fn build(mut self, sessions: Option<&SessionsPlan>) -> Programs {
        let operations = self.planner.topology.operations.len();
        let mut entries = vec![NO_PROGRAM; operations];
        let config = self.config;
        let mut default = NO_PROGRAM;
        if let Some(work) = &config.work.value {
            if let Some((name, _)) = config.handle.value.iter().next() {
                self.planner
                    .out
                    .error("E0504", config.work.span, "both `work` and `handle` are given")
                    .note(name.span, "the handlers are here")
                    .help("`work` is short for `handle: { default: [ work: … ] }`; write one");
            }
            default = self.position();
            let salt = self.salt("work");
            self.steps.push(Step::Work { law: work.plan(), salt });
            self.steps.push(Step::End);
        }
        for (name, steps) in config.handle.value.iter() {
            self.enter(&name.value);
            let entry = self.position();
            self.list(&steps.value);
            if let Some(sessions) = sessions
                && self.logs_in(sessions, &name.value)
            {
                self.begin_session(sessions);
            }
            self.steps.push(Step::End);
            if name.value == "default" {
                default = entry;
            } else if let Some(operation) = self.planner.operation(&name.value, name.span) {
                entries[operation.index()] = entry;
            }
        }
        for entry in entries.iter_mut().filter(|entry| **entry == NO_PROGRAM) {
            *entry = default;
        }
        let mut bodies = Vec::new();
        if let Some(sessions) = sessions {
            self.guard(sessions, &mut entries, &mut bodies);
        }
        // A health probe passes through queue and worker, and does nothing.
        entries[operations - 1] = self.position();
        self.steps.push(Step::End);
        if self.steps.len() >= NO_PROGRAM as usize {
            let span = config.handle.span;
            self.planner.out.error("E0504", span, "the handlers have too many steps");
        }
        shorten(&mut self.steps);
        Programs { steps: self.steps, entries, bodies }
    }

    /// What follows belongs to the handler of this name.
    pub(super) fn enter(&mut self, handler: &str) {
        self.seen.clear();
        self.handler = handler.to_string();
    }

    pub(super) fn position(&self) -> u16 {
        self.steps.len().min(NO_PROGRAM as usize - 1) as u16
    }

    pub(super) fn salt(&mut self, what: &str) -> u64 {
        let seen = self.seen.entry(what.to_string()).or_default();
        *seen += 1;
        let component = self.planner.name_of(self.id);
        salt(&format!("{component}/{}/{what}/{seen}", self.handler))
    }

    fn list(&mut self, steps: &[StepConfig]) {
        for step in steps {
            self.step(step);
        }
    }

    fn step(&mut self, step: &StepConfig) {
        match step {
            StepConfig::Work(work) => {
                let salt = self.salt("work");
                self.steps.push(Step::Work { law: work.work.value.plan(), salt });
            }
            StepConfig::Wait(wait) => {
                let salt = self.salt("wait");
                self.steps.push(Step::Wait { law: wait.wait.value.plan(), salt });
            }
            StepConfig::Fail(fail) => {
                let salt = self.salt("fail");
                self.steps.push(Step::Fail { chance: fail.fail.value.0, salt });
            }
            StepConfig::Read(read) => self.read(read),
            StepConfig::Write(write) => self.write(write),
            StepConfig::Call(call) => {
                let (name, span) = word(&call.call);
                let target = self.planner.component(name, span);
                let renamed = call.r#as.value.as_ref();
                let operation =
                    renamed.and_then(|name| self.planner.operation(&name.0, call.r#as.span));
                let Some(target) = target else { return };
                let salt = self.salt(&format!("call {name}"));
                self.times(&call.repeats.times, salt, |builder, turn| {
                    builder.call(target, Access::Call, None, salt, key_of(turn));
                    if let Some(Step::Call { operation: place, .. }) = builder.steps.last_mut() {
                        *place = operation;
                    }
                });
            }
            StepConfig::Repeat(repeat) => {
                let salt = self.salt("repeat");
                self.times(&repeat.times, salt, |builder, _| builder.list(&repeat.repeat.value));
            }
            StepConfig::Chance(chance) => {
                let p = chance.chance.value.0;
                let ways = [(p, &chance.r#do.value), (1.0 - p, &chance.r#else.value)];
                self.choose(&ways, chance.chance.span, "chance");
            }
            StepConfig::Choose(choose) => {
                let ways: Vec<_> =
                    choose.choose.value.iter().map(|w| (w.weight.value, &w.r#do.value)).collect();
                self.choose(&ways, choose.choose.span, "choose");
            }
            StepConfig::Parallel(parallel) => self.parallel(parallel),
        }
    }

    /// Repeats a body as often as `times` says; `turn` is the loop that draws a new item each time.
    fn times(
        &mut self,
        times: &Spanned<CountDistribution>,
        base: u64,
        body: impl FnOnce(&mut Self, Option<u8>),
    ) {
        let law = times.value.plan();
        if law.is_constant() == Some(1) {
            return body(self, None);
        }
        if self.depth as usize == LOOPS {
            let message = format!("more than {LOOPS} loops stand inside each other");
            self.planner.out.error("E0504", times.span, message);
            return;
        }
        let depth = self.depth;
        let open = self.steps.len();
        self.steps.push(Step::Repeat {
            times: law,
            depth,
            salt: base ^ salt("how many times"),
            end: 0,
        });
        self.depth += 1;
        let start = self.position();
        body(self, Some(depth));
        self.depth -= 1;
        self.steps.push(Step::Again { depth, start });
        let behind = self.position();
        if let Step::Repeat { end, .. } = &mut self.steps[open] {
            *end = behind;
        }
    }

    fn choose(&mut self, ways: &[(f64, &Vec<StepConfig>)], span: Span, what: &str) {
        let total: f64 = ways.iter().map(|way| way.0).sum();
        if !(total > 0.0 && ways.iter().all(|way| way.0 >= 0.0)) {
            let message = "the weights must not be negative and not all zero";
            self.planner.out.error("E0504", span, message);
            return;
        }
        let salt = self.salt(what);
        let fork = self.steps.len();
        self.steps.push(Step::End);
        let mut bounds = Vec::new();
        let mut starts = Vec::new();
        let mut jumps = Vec::new();
        let mut sum = 0.0;
        for (weight, steps) in ways {
            sum += weight;
            bounds.push(sum / total);
            starts.push(self.position());
            self.list(steps);
            jumps.push(self.steps.len());
            self.steps.push(Step::Jump { to: 0 });
        }
        let behind = self.position();
        for jump in jumps {
            self.steps[jump] = Step::Jump { to: behind };
        }
        self.steps[fork] = Step::Choose { bounds, ways: starts, salt };
    }

    fn parallel(&mut self, step: &super::config::ParallelStep) {
        let ways = &step.parallel.value;
        let wanted = step.wait_for.value.finite().unwrap_or(ways.len() as u64);
        if ways.is_empty() || wanted == 0 || wanted > ways.len() as u64 {
            let message = format!("{} ways, of which {wanted} are waited for", ways.len());
            self.planner
                .out
                .error("E0504", step.parallel.span, message)
                .help("give at least one way, and wait for at least one and at most all of them");
            return;
        }
        let fork = self.steps.len();
        self.steps.push(Step::End);
        let mut branches = Vec::new();
        for way in ways {
            branches.push(self.position());
            for step in &way.0 {
                self.step(&step.value);
            }
            self.steps.push(Step::End);
        }
        let (wanted, join) = (wanted as u16, self.position());
        let cancel = step.cancel.value;
        self.steps[fork] = Step::Parallel { branches, wanted, cancel, join };
    }

    /// The component and data set that a read or write means.
    fn access(
        &mut self,
        name: &Spanned<Name>,
        of: &Spanned<Option<Name>>,
    ) -> Option<(ComponentId, Option<DataId>)> {
        let (name, span) = word(name);
        let (target, home_of) = self.planner.target(name, span)?;
        let Some(of_name) = &of.value else {
            let data = home_of.or_else(|| self.only_data_in(target));
            return Some((target, data));
        };
        if home_of.is_some() {
            let message = format!("`{name}` is a data set already");
            self.planner.out.error("E0504", of.span, message).help("remove `of`");
            return None;
        }
        Some((target, self.planner.data(&of_name.0, of.span)))
    }

    /// The one data set that lives in a component, when it has just one.
    fn only_data_in(&self, component: ComponentId) -> Option<DataId> {
        let sets = (0..self.planner.topology.data.len()).map(DataId::new);
        let mut here = sets.filter(|&data| self.planner.is_home(component, data));
        let first = here.next()?;
        here.next().is_none().then_some(first)
    }

    /// Which item a read or write is about, by what it says itself.
    fn key(
        &mut self,
        written: &Spanned<Option<KeyConfig>>,
        data: Option<DataId>,
        salt: u64,
    ) -> Option<Key> {
        let key = written.value?;
        if data.is_none() {
            let message = "a key is of a data set, and this step names none";
            self.planner
                .out
                .error("E0504", written.span, message)
                .help("name the data set instead of the component, or add `of`");
        }
        Some(match key {
            KeyConfig::Fresh => Key::Fresh { salt: salt ^ self::salt("fresh key") },
            KeyConfig::Own => Key::Own,
        })
    }

    fn read(&mut self, read: &ReadStep) {
        let Some((target, data)) = self.access(&read.read, &read.of) else { return };
        let salt = self.salt(&format!("read {}", read.read.value.0));
        let own = self.key(&read.key, data, salt);
        self.times(&read.repeats.times, salt, |builder, turn| {
            builder.read_at(target, data, salt, own.unwrap_or(key_of(turn)));
        });
    }

    fn write(&mut self, write: &WriteStep) {
        let Some((target, data)) = self.access(&write.write, &write.of) else { return };
        let salt = self.salt(&format!("write {}", write.write.value.0));
        let statements = write.statements.value as u16;
        let own = self.key(&write.key, data, salt);
        self.times(&write.repeats.times, salt, |builder, turn| {
            let key = own.unwrap_or(key_of(turn));
            builder.write_at(target, data, salt, key, statements);
        });
    }

    pub(super) fn call(
        &mut self,
        target: ComponentId,
        access: Access,
        data: Option<DataId>,
        salt: u64,
        key: Key,
    ) {
        let link = self.planner.link(self.id, target, &self.config.caller.calls.value);
        self.steps.push(Step::Call {
            link,
            operation: None,
            access,
            data,
            statements: 1,
            salt,
            key,
            optional: false,
        });
    }
}

/// Whose key a call is about that says nothing of it: in a loop over items, that of the turn.
fn key_of(turn: Option<u8>) -> Key {
    turn.map_or(Key::Request, Key::Turn)
}

/// A jump to the end is the end.
fn shorten(steps: &mut [Step]) {
    for at in (0..steps.len()).rev() {
        if let Step::Jump { to } = steps[at]
            && matches!(steps[to as usize], Step::End)
        {
            steps[at] = Step::End;
        }
    }
}

impl ServicePlan {
    /// Walks the program of an operation with the mean number of times that each step runs.
    fn walk(&self, operation: OperationId, topology: &Topology, each: &mut dyn FnMut(&Step, f64)) {
        let entry = self.entries[operation.index()];
        if entry != NO_PROGRAM {
            self.walk_from(entry as usize, (operation, 1.0), topology, each);
        }
    }

    /// Walks from a step until the last `End` that a way through can reach. Everybody has
    /// a session.
    fn walk_from(
        &self,
        mut pc: usize,
        (operation, mut weight): (OperationId, f64),
        topology: &Topology,
        each: &mut dyn FnMut(&Step, f64),
    ) {
        let mut stack: Vec<f64> = Vec::new();
        // Where the weight of a skipped stretch comes back.
        let mut rejoin: Vec<(usize, f64)> = Vec::new();
        let mut hit = 0.0;
        loop {
            rejoin.retain(|&(at, lost)| {
                if at == pc {
                    weight += lost;
                }
                at != pc
            });
            let step = &self.steps[pc];
            each(step, weight);
            match step {
                Step::End if rejoin.is_empty() => return,
                Step::End => weight = 0.0,
                Step::Call { link, .. } => {
                    let target = topology.links[link.index()].target();
                    hit = topology.components[target.index()].hit_ratio_expected;
                }
                Step::Session | Step::SessionBegins => {
                    pc = self.bodies[operation.index()] as usize;
                    continue;
                }
                Step::SkipIfHit { to } => {
                    rejoin.push((*to as usize, weight * hit));
                    weight *= 1.0 - hit;
                }
                Step::SkipIfAnswered { to } => {
                    rejoin.push((*to as usize, weight));
                    weight = 0.0;
                }
                Step::Repeat { times, .. } => {
                    stack.push(weight);
                    weight *= times.mean();
                }
                Step::Again { .. } => weight = stack.pop().unwrap_or(weight),
                Step::Jump { to } => {
                    rejoin.push((*to as usize, weight));
                    weight = 0.0;
                }
                Step::Choose { bounds, ways, .. } => {
                    let mut before = 0.0;
                    for (bound, way) in bounds.iter().zip(ways) {
                        rejoin.push((*way as usize, weight * (bound - before)));
                        before = *bound;
                    }
                    weight = 0.0;
                }
                Step::Parallel { branches, join, .. } => {
                    for &branch in branches {
                        let here = (operation, weight);
                        self.walk_from(branch as usize, here, topology, each);
                    }
                    pc = *join as usize;
                    continue;
                }
                _ => {}
            }
            pc += 1;
        }
    }
}

impl Facts for ServicePlan {
    fn knows_users(&self) -> bool {
        self.sessions.is_some()
    }

    fn slots(&self) -> Option<u32> {
        (self.workers != UNLIMITED).then_some(self.workers)
    }

    fn jobs_max(&self) -> f64 {
        let parallel = self.steps.iter().any(|step| matches!(step, Step::Parallel { .. }));
        match self.slots() {
            Some(workers) if !parallel => f64::from(workers),
            _ => f64::INFINITY,
        }
    }

    fn has_slots(&self) -> bool {
        true
    }

    fn scales(&self) -> bool {
        self.scaling.is_some()
    }

    fn room(&self) -> Option<u64> {
        let limited = self.workers != UNLIMITED && self.queue.places != UNLIMITED;
        limited.then(|| u64::from(self.workers) + u64::from(self.queue.places))
    }

    fn figures(&self) -> Vec<Declared> {
        self.sessions.iter().map(|_| Declared::count("lost_sessions")).collect()
    }

    fn names_data(&self, id: DataId) -> bool {
        let names = |step: &Step| matches!(step, Step::Call { data, .. } if *data == Some(id));
        self.steps.iter().any(names)
    }

    fn handles(&self, operation: OperationId) -> bool {
        self.entries[operation.index()] != NO_PROGRAM
    }

    fn demand_ns(&self, visit: Visit, topology: &Topology) -> f64 {
        let mut sum = 0.0;
        self.walk(visit.operation, topology, &mut |step, weight| {
            if let Step::Work { law, .. } = step
                && weight > 0.0
            {
                sum += weight * law.mean_ns();
            }
        });
        sum
    }

    fn delay_ns(&self, visit: Visit, topology: &Topology) -> f64 {
        let mut sum = 0.0;
        self.walk(visit.operation, topology, &mut |step, weight| {
            if let Step::Wait { law, .. } = step
                && weight > 0.0
            {
                sum += weight * law.mean_ns();
            }
        });
        sum
    }

    fn calls(&self, visit: Visit, topology: &Topology, each: &mut dyn FnMut(Visit, f64)) {
        self.walk(visit.operation, topology, &mut |step, weight| {
            let Step::Call { link, operation, access, data, statements, .. } = step else { return };
            let component = topology.links[link.index()].target();
            let operation = operation.unwrap_or(visit.operation);
            if weight > 0.0 {
                let (access, data, statements) = (*access, *data, *statements);
                each(Visit { component, operation, access, data, statements }, weight);
            }
        });
    }
}
