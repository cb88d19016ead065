//! Faults as they are planned: which instances of which components each of them hits.

use super::regions::Copy;
use crate::components::Role;
use crate::components::config::{Address, Part};
use crate::components::names::{Meaning, Planner};
use crate::components::topology::{ComponentFacts, ComponentId, users};
use crate::language::{Span, Spanned};
use crate::units::Count;
use crate::world::faults::{FaultConfig, FaultPlan, Target, Timing};

/// Finds what faults mean.
pub struct Trouble<'a, 'p, 'd> {
    /// Names and their meanings.
    pub planner: &'p mut Planner<'d>,
    /// The components as they were written.
    pub copies: &'a [Copy<'a>],
    /// By how much the scenario is shrunk, as it was written.
    pub shrink: crate::units::Factor,
}

impl Trouble<'_, '_, '_> {
    /// The plan of one fault; `None` after an error.
    pub fn plan(&mut self, name: &str, fault: &FaultConfig) -> Option<FaultPlan> {
        let (address, silently, when) = match fault {
            FaultConfig::Crash(crash) => (&crash.crash, crash.silently.value, &crash.when),
            FaultConfig::Outage(outage) => (&outage.outage, true, &outage.when),
        };
        let wide = matches!(fault, FaultConfig::Outage(_));
        let targets = self.targets(address, wide);
        let timing = when.timing(address.span, self.planner.out);
        let several = targets.as_ref().is_some_and(|targets| targets.len() > 1);
        if wide && several && matches!(timing, Some(Timing::Random { .. })) {
            let message = "an outage comes over all of a place at once, at a time that is given";
            let error = self.planner.out.error("E0504", address.span, message);
            error.help("write `at`; what fails one by one, at random, is a `crash`");
        }
        let verb = if wide { "outage" } else { "crash" };
        let what = format!("{verb} {}", address.value);
        Some(FaultPlan { name: name.into(), what, targets: targets?, silently, timing: timing? })
    }

    fn targets(
        &mut self,
        address: &Spanned<Address>,
        wide: bool,
    ) -> Option<Vec<(ComponentId, Target)>> {
        let Address { region, component, part } = &address.value;
        let span = address.span;
        let place = match region {
            Some(region) => Some(self.planner.region_named(region, span)?),
            None => None,
        };
        if wide && let Some(found) = self.places(address, place) {
            return found;
        }
        let ids = self.components(component, place, span)?;
        let mut targets = Vec::new();
        for id in ids {
            targets.extend(self.parts(id, component, *part, span)?);
        }
        Some(targets)
    }

    /// What stands in a region, a zone or on a host, if the address names one; else `None`.
    fn places(
        &mut self,
        address: &Spanned<Address>,
        place: Option<u16>,
    ) -> Option<Option<Vec<(ComponentId, Target)>>> {
        let Address { component, part, .. } = &address.value;
        let topology = &self.planner.topology;
        let all = |fits: &dyn Fn(crate::policy::network::Place) -> bool| {
            let components = topology.components.iter().enumerate().skip(1);
            let named = &self.planner.named;
            // Name servers and points of presence stand elsewhere.
            let here = |(index, facts): &(usize, &ComponentFacts)| {
                !named.contains_key(&ComponentId::new(*index)) && facts.users_trip.is_none()
            };
            let components = components.filter(here);
            let hit = components.flat_map(|(index, facts)| {
                let nodes = facts.places.iter().enumerate().filter(|(_, place)| fits(**place));
                let target = move |(node, _): (usize, _)| {
                    (ComponentId::new(index), Target::Instance(node as u16))
                };
                nodes.map(target).collect::<Vec<_>>()
            });
            hit.collect::<Vec<_>>()
        };
        match (component.as_str(), *part, self.planner.names.get(component).copied()) {
            ("all", Part::All, _) => Some(Some(all(&|_| true))),
            ("zone", Part::Instance(number), _) => {
                let regions = &topology.regions;
                let (first, zones) = match place {
                    Some(region) => {
                        (regions[region as usize].first_zone, regions[region as usize].zones)
                    }
                    None => (0, topology.zones),
                };
                if number > u32::from(zones) {
                    let message = format!("there is no zone {number}");
                    let help = format!("there are {zones}, numbered from 1");
                    self.planner.out.error("E0501", address.span, message).help(help);
                    return Some(None);
                }
                let zone = first + number as u16 - 1;
                Some(Some(all(&|place| place.zone == zone)))
            }
            (_, Part::All, Some(Meaning::Region(region))) => {
                Some(Some(all(&|place| place.region == region)))
            }
            (_, Part::All, Some(Meaning::Host(machine))) => {
                Some(Some(all(&|place| place.machine as usize == machine)))
            }
            _ => None,
        }
    }

    /// The component of a name, or all its copies, or the one in a region.
    fn components(
        &mut self,
        name: &str,
        place: Option<u16>,
        span: Span,
    ) -> Option<Vec<ComponentId>> {
        let all = self.planner.copies(name, span)?;
        let Some(region) = place else { return Some(all) };
        let of = |id: &ComponentId| self.planner.topology.components[id.index()].region;
        let here: Vec<ComponentId> = all.into_iter().filter(|id| of(id) == Some(region)).collect();
        if here.is_empty() {
            let region = self.planner.topology.regions[region as usize].name.clone();
            let message = format!("`{name}` has no copy in `{region}`");
            self.planner.out.error("E0501", span, message);
            return None;
        }
        Some(here)
    }

    fn parts(
        &mut self,
        id: ComponentId,
        name: &str,
        part: Part,
        span: Span,
    ) -> Option<Vec<(ComponentId, Target)>> {
        debug_assert_ne!(id, users());
        let facts = &self.planner.topology.components[id.index()];
        if facts.kind == "dns" {
            let message = "name servers are many, and do not fail here";
            self.planner.out.error("E0504", span, message).help("let what they name fail");
            return None;
        }
        let count = facts.instances();
        let led = facts.store.is_some_and(|store| store.led);
        let one = |target: Target| Some(vec![(id, target)]);
        match part {
            Part::All => Some((0..count).map(|node| (id, Target::Instance(node))).collect()),
            Part::Instance(number) if number <= u32::from(count) => {
                one(Target::Instance(number as u16 - 1))
            }
            Part::Instance(number) => {
                self.no_instance(id, name, number, count, span);
                None
            }
            Part::Primary if led => one(Target::Role(Role::Primary)),
            Part::Replica(number) if led && number < u32::from(count) => {
                one(Target::Role(Role::Replica(number as u16)))
            }
            part => {
                let what = match part {
                    Part::Replica(number) => format!("replica {number}"),
                    _ => "primary among its nodes".into(),
                };
                let message = format!("`{name}` has no {what}");
                let count = if led { count - 1 } else { 0 };
                let help = format!("it has {count} replicas, numbered from 1");
                self.planner.out.error("E0501", span, message).help(help);
                None
            }
        }
    }

    /// Reports a fault on an instance that was never there, or that shrinking has taken away.
    fn no_instance(&mut self, id: ComponentId, name: &str, number: u32, left: u16, span: Span) {
        let copy = &self.copies[id.index() - 1];
        let room = copy.config.room();
        let most = room.autoscale().map(|(scale, _)| Count::Finite(scale.max.value));
        let written = most.unwrap_or(room.common().instances.value);
        let out = &mut self.planner.out;
        if written.allows(number.into()) {
            let shrink = self.shrink;
            let message = format!("`shrink: {shrink}` leaves no instance {number} of `{name}`");
            out.error("E0501", span, message).help(format!(
                "it leaves {left}, numbered from 1; name one of those, or shrink less"
            ));
        } else {
            let message = format!("`{name}` has no instance {number}");
            out.error("E0501", span, message).help(format!("it has {left}, numbered from 1"));
        }
    }
}
