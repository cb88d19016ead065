//! The state of a load balancer: its health checkers; choices and connections belong to its link.

use rand::Rng;

use crate::components::call::{CallKey, flag};
use crate::components::caller::{Ask, PASS_ON};
use crate::components::context::Cx;
use crate::components::outcome::Reply;
use crate::components::topology::{ComponentId, LinkId};
use crate::components::{Probed, Room};
use crate::engine::stream::{DrawKey, salt, stream};
use crate::engine::timers::TimerList;
use crate::policy::health::{HealthPlan, Probe, Seen};
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
    health: Option<HealthPlan>,
    timeout: Option<TimerList>,
    /// By instance and backend, what the active checks have seen.
    seen: Vec<Vec<Seen>>,
    /// Key of the probes' draws, and how many there were.
    probes: DrawKey,
    sent: u64,
}

impl<'p> LoadBalancer<'p> {
    /// All backends up.
    pub fn new(plan: &'p LoadBalancerPlan, cx: &mut Cx<'p>) -> Self {
        let link = &cx.topology.links[plan.link.index()];
        let facts = &cx.topology.components[plan.id.index()];
        let instances = facts.instances() as usize;
        Self {
            plan,
            health: link.health,
            timeout: link.health.map(|health| cx.timer_list(health.timeout)),
            seen: vec![vec![Seen::default(); link.targets.len()]; instances],
            probes: cx.root.child(salt(&facts.name)).child(salt("probes")),
            sent: 0,
        }
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
        let Some(health) = self.health else { return };
        let name = &cx.topology.components[self.plan.id.index()].name;
        let mut phases = stream(cx.root.0, 0, name, "probe phase");
        for instance in 0..self.seen.len() {
            for backend in 0..self.seen[instance].len() {
                let phase = (phases.next_u64() >> 11) as f64 / (1u64 << 53) as f64;
                let offset = Duration((health.every.0 as f64 * phase) as i64);
                cx.later(offset, self.plan.id, instance as u16, backend as u32);
            }
        }
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

    /// Time for the next probe of the backend `word`.
    fn on_event(&mut self, cx: &mut Cx<'_>, instance: u16, word: u32) {
        let (Some(health), Some(timeout)) = (self.health, self.timeout) else { return };
        cx.later(health.every, self.plan.id, instance, word);
        if cx.status(self.plan.id, instance) != crate::components::context::Status::Up {
            return;
        }
        let backend = word as u16;
        let Some(balancer) = cx.balancer(self.plan.link, instance) else { return };
        if !balancer.is_listed(backend) {
            self.seen[instance as usize][word as usize] = Seen::default();
            return;
        }
        let draw = self.probes.child(self.sent);
        self.sent += 1;
        // A connection attempt: the machine answers it unless it is dead, whatever its workers do.
        let flags = match health.probe {
            Probe::Request => flag::PROBE,
            Probe::Tcp => flag::PROBE | flag::AT_THE_DOOR,
        };
        cx.probe(Probed { link: self.plan.link, instance, backend }, timeout, draw, flags);
    }

    fn on_probe(&mut self, cx: &mut Cx<'_>, at: Probed, ok: bool) {
        let Some(health) = self.health else { return };
        let Some(balancer) = cx.balancer(at.link, at.instance) else { return };
        if !balancer.is_listed(at.backend) {
            return;
        }
        let up = balancer.is_up(at.backend);
        let seen = &mut self.seen[at.instance as usize][at.backend as usize];
        let Some(change) = seen.probed(&health, ok, up) else { return };
        balancer.set_up(at.backend, change);
        if !change {
            cx.took_out(at.link, at.backend);
        }
    }

    fn on_crash(&mut self, _cx: &mut Cx<'_>, instance: u16) {
        self.seen[instance as usize].fill(Seen::default());
    }
}
