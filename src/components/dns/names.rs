//! The state of a name server: what its checks have found. Answers belong to the resolvers.

use crate::components::call::CallKey;
use crate::components::checks::Checks;
use crate::components::context::Cx;
use crate::components::outcome::Reply;
use crate::components::topology::{ComponentId, LinkId};
use crate::components::{Probed, Room};

/// What never changes about a name server.
#[derive(Clone, Debug)]
pub struct DnsPlan {
    /// Which component it is.
    pub id: ComponentId,
    /// Its number among the name servers.
    pub number: u16,
    /// The link to what it names.
    pub link: LinkId,
}

/// A name server in one replication.
pub struct Dns<'p> {
    plan: &'p DnsPlan,
    checks: Checks,
}

impl<'p> Dns<'p> {
    /// Everything is taken to be up.
    pub fn new(plan: &'p DnsPlan, cx: &mut Cx<'p>) -> Self {
        Self { plan, checks: Checks::new(plan.id, plan.link, cx) }
    }
}

impl Room for Dns<'_> {
    fn begin(&mut self, cx: &mut Cx<'_>) {
        self.checks.begin(cx);
    }

    fn on_call(&mut self, cx: &mut Cx<'_>, call: CallKey) {
        cx.reply(call, Reply::OK);
    }

    fn on_work(&mut self, _cx: &mut Cx<'_>, _call: CallKey) {}

    fn on_cancel(&mut self, cx: &mut Cx<'_>, call: CallKey) {
        cx.cancelled(call);
    }

    fn on_event(&mut self, cx: &mut Cx<'_>, instance: u16, word: u32) {
        self.checks.probe(cx, instance, word as u16);
    }

    /// A region works as long as one of its copies does.
    fn on_probe(&mut self, cx: &mut Cx<'_>, at: Probed, ok: bool) {
        self.checks.probed(cx, at, ok);
        let topology = cx.topology;
        let targets = &topology.links[self.plan.link.index()].targets;
        let region_of = |backend: usize| {
            let (component, instance) = targets[backend];
            topology.place(component, instance).map_or(0, |place| place.region)
        };
        let region = region_of(at.backend as usize);
        let Some(balancer) = cx.balancer(at.link, at.instance) else { return };
        let mut copies = (0..targets.len()).filter(|&backend| region_of(backend) == region);
        let works = copies.any(|backend| balancer.is_up(backend as u16));
        cx.names_believe(self.plan.number, region, works);
    }
}
