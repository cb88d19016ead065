//! What a system may lose: one instance of anything, or one zone.
//!
//! The loss lies long before the measured time, so that what is measured is the system that has
//! got over it, if it does. It reads plans; the fault is laid over the scenario by its text.

use super::CapacityError;
use crate::scenario::layers::Setting;
use crate::world::Plan;

/// What a system must be able to lose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Survive {
    /// One instance of each component, one at a time; a host with all that is on it.
    Instance,
    /// A zone, of each region in turn.
    Zone,
}

/// The name of the fault that is laid over a scenario; no author gives one such a name.
pub(super) const NAME: &str = "lost_before_it_is_measured";

/// Something that is lost.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Loss {
    /// Its address.
    pub what: String,
    verb: &'static str,
}

impl Loss {
    /// The fault as a setting.
    pub fn setting(&self) -> Setting {
        let what = &self.what;
        let silently = if self.verb == "crash" { ", silently: true" } else { "" };
        let text = format!("faults.{NAME}={{ at: 0s, {}: {what}{silently} }}", self.verb);
        Setting { flag: "--survive".to_owned(), text }
    }
}

/// Everything that is lost in turn.
pub(super) fn losses(plan: &Plan, survive: Survive) -> Result<Vec<Loss>, CapacityError> {
    match survive {
        Survive::Instance => Ok(instances(plan)),
        Survive::Zone => zones(plan),
    }
}

fn instances(plan: &Plan) -> Vec<Loss> {
    let topology = &plan.topology;
    let mut list: Vec<Loss> = Vec::new();
    let mut add = |verb, what: String| {
        if list.iter().all(|loss| loss.what != what) {
            list.push(Loss { what, verb });
        }
    };
    for (index, component) in topology.components.iter().enumerate().skip(1) {
        let facts = plan.components[index - 1].facts();
        let host = component
            .places
            .first()
            .and_then(|place| topology.machines[place.machine as usize].host.clone());
        match (host, facts.parts()) {
            (Some(host), _) => add("outage", host),
            // A name server is a service of many machines, and none of them is modelled.
            _ if component.kind == "dns" => {}
            (None, []) => add("crash", format!("{}.1", component.name)),
            (None, _) => {
                add("crash", format!("{}.primary", component.name));
                if component.instances() > 1 {
                    add("crash", format!("{}.replica.1", component.name));
                }
            }
        }
    }
    list
}

fn zones(plan: &Plan) -> Result<Vec<Loss>, CapacityError> {
    let topology = &plan.topology;
    let several: Vec<String> = match topology.regions.is_empty() {
        true if topology.zones > 1 => vec!["zone.1".to_owned()],
        true => Vec::new(),
        false => {
            let regions = topology.regions.iter().filter(|region| region.zones > 1);
            regions.map(|region| format!("{}.zone.1", region.name)).collect()
        }
    };
    match several.is_empty() {
        true => Err(CapacityError::Question(
            "everything is in one zone: write `zones: 3` (or `regions: { us: { zones: 3 } }`), so \
             that one can be lost"
                .to_owned(),
        )),
        false => Ok(several.into_iter().map(|what| Loss { what, verb: "outage" }).collect()),
    }
}
