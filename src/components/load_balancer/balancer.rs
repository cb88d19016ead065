//! The state of a load balancer: its health checkers; choices and connections belong to its link.

use crate::components::call::{CallKey, flag};
use crate::components::caller::{Ask, PASS_ON};
use crate::components::checks::Checks;
use crate::components::context::Cx;
use crate::components::outcome::Reply;
use crate::components::topology::{ComponentId, LinkId};
use crate::components::{Probed, Room};
use crate::random::Sampler;
use crate::units::Duration;

/// What never changes about a load balancer.
#[derive(Clone, Debug)]
pub struct LoadBalancerPlan {
    /// Which component it is.
    pub id: ComponentId,
    /// Core time per call; none for no work at all.
    pub work: Option<Sampler>,
    /// Tells the draws of its work from those of another balancer on the way.
    pub salt: u64,
    /// The link to its backends.
    pub link: LinkId,
}

/// A load balancer in one replication.
pub struct LoadBalancer<'p> {
    plan: &'p LoadBalancerPlan,
    checks: Checks,
}

impl<'p> LoadBalancer<'p> {
    /// All backends up.
    pub fn new(plan: &'p LoadBalancerPlan, cx: &mut Cx<'p>) -> Self {
        Self { plan, checks: Checks::new(plan.id, plan.link, cx) }
    }

    fn forward(&self, cx: &mut Cx<'_>, call: CallKey) {
        let frame = &cx.calls[call];
        let ask = Ask {
            link: self.plan.link,
            operation: frame.operation,
            access: frame.access,
            data: frame.data,
            item: frame.item,
            count: frame.count,
            version: frame.version,
            salt: PASS_ON,
            flags: frame.flags & flag::INNER,
        };
        cx.call(call, ask);
    }
}

impl Room for LoadBalancer<'_> {
    fn begin(&mut self, cx: &mut Cx<'_>) {
        self.checks.begin(cx);
    }

    #[inline(always)]
    fn on_call(&mut self, cx: &mut Cx<'_>, call: CallKey) {
        let Some(work) = &self.plan.work else { return self.forward(cx, call) };
        let demand = work.sample(&mut cx.calls[call].draw.child(self.plan.salt).draw());
        cx.work(call, Duration(demand));
    }

    #[inline(always)]
    fn on_work(&mut self, cx: &mut Cx<'_>, call: CallKey) {
        self.forward(cx, call);
    }

    #[inline]
    fn on_child(&mut self, cx: &mut Cx<'_>, parent: CallKey, reply: Reply) {
        cx.reply(parent, reply);
    }

    fn on_cancel(&mut self, cx: &mut Cx<'_>, call: CallKey) {
        cx.cancelled(call);
    }

    fn on_event(&mut self, cx: &mut Cx<'_>, instance: u16, word: u32) {
        self.checks.probe(cx, instance, word as u16);
    }

    fn on_probe(&mut self, cx: &mut Cx<'_>, at: Probed, ok: bool) {
        self.checks.probed(cx, at, ok);
    }

    fn on_crash(&mut self, _cx: &mut Cx<'_>, instance: u16) {
        self.checks.forget(instance);
    }
}
