//! The active health checks that a component makes of the backends of one of its links.
//!
//! A room that checks has one of these and hands it its clock and its probes' results. What a
//! change of mind means is the room's affair.

use rand::Rng;

use super::Probed;
use super::call::flag;
use super::context::{Cx, Status};
use super::topology::{ComponentId, LinkId};
use crate::engine::stream::{DrawKey, salt, stream};
use crate::engine::timers::TimerList;
use crate::policy::health::{HealthPlan, Probe, Seen};
use crate::units::Duration;

/// The checks of one link by all instances of its caller.
pub struct Checks {
    id: ComponentId,
    link: LinkId,
    health: Option<HealthPlan>,
    timeout: Option<TimerList>,
    /// By instance and backend, what the checks have seen.
    seen: Vec<Vec<Seen>>,
    /// Key of the probes' draws, and how many there were.
    probes: DrawKey,
    sent: u64,
}

impl Checks {
    /// Nothing seen yet: all backends are taken to be up.
    pub fn new(id: ComponentId, link: LinkId, cx: &mut Cx<'_>) -> Self {
        let plan = &cx.topology.links[link.index()];
        let facts = &cx.topology.components[id.index()];
        Self {
            id,
            link,
            health: plan.health,
            timeout: plan.health.map(|health| cx.timer_list(health.timeout)),
            seen: vec![vec![Seen::default(); plan.targets.len()]; facts.instances() as usize],
            probes: cx.root.child(salt(&facts.name)).child(salt("probes")),
            sent: 0,
        }
    }

    /// Time begins: each backend has its own phase.
    pub fn begin(&self, cx: &mut Cx<'_>) {
        let Some(health) = self.health else { return };
        let name = &cx.topology.components[self.id.index()].name;
        let mut phases = stream(cx.root.0, 0, name, "probe phase");
        for instance in 0..self.seen.len() {
            for backend in 0..self.seen[instance].len() {
                let phase = (phases.next_u64() >> 11) as f64 / (1u64 << 53) as f64;
                let offset = Duration((health.every.0 as f64 * phase) as i64);
                cx.later(offset, self.id, instance as u16, backend as u32);
            }
        }
    }

    /// Time for the next probe of a backend by an instance.
    pub fn probe(&mut self, cx: &mut Cx<'_>, instance: u16, backend: u16) {
        let (Some(health), Some(timeout)) = (self.health, self.timeout) else { return };
        cx.later(health.every, self.id, instance, u32::from(backend));
        if cx.status(self.id, instance) != Status::Up {
            return;
        }
        let Some(balancer) = cx.balancer(self.link, instance) else { return };
        if !balancer.is_listed(backend) {
            self.seen[instance as usize][backend as usize] = Seen::default();
            return;
        }
        let draw = self.probes.child(self.sent);
        self.sent += 1;
        // A connection attempt: the machine answers it unless it is dead, whatever its workers do.
        let flags = match health.probe {
            Probe::Request => flag::PROBE,
            Probe::Tcp => flag::PROBE | flag::AT_THE_DOOR,
        };
        cx.probe(Probed { link: self.link, instance, backend }, timeout, draw, flags);
    }

    /// A probe came back, or did not: the balancer hears of it if that changes anything.
    pub fn probed(&mut self, cx: &mut Cx<'_>, at: Probed, ok: bool) {
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

    /// The checking instance died with all it knew.
    pub fn forget(&mut self, instance: u16) {
        self.seen[instance as usize].fill(Seen::default());
    }
}
