//! Regions: which copies of which component there are, and how far the regions are apart.
//!
//! A component that says nothing about regions has a copy in each of them, `eu.web`; what spans
//! regions (names, databases) is one component. What differs in a region is laid over
//! its copies before anything is decoded.

use super::document::Document;
use crate::components::ComponentConfig;
use crate::components::names::{Meaning, Planner};
use crate::components::topology::{ComponentId, RegionFacts};
use crate::config;
use crate::language::node::Node;
use crate::language::suggest::did_you_mean;
use crate::language::{Decode, Diagnostics, Name, Names, Spanned, merge};
use crate::policy::network::{Location, NetworkConfig, NetworkPlan, Site};

/// So many regions and no more: the pairs of them are counted in a byte.
const REGIONS_MAX: usize = 10;

config! {
    /// A region: a place with its own copy of what does not say where it stands.
    pub struct RegionConfig {
        /// Its instances are dealt over so many zones in turn.
        zones: u64 = "1" in 1..=100,
        /// Which known place it is (`us_east_1`): gives its distance to other known places.
        location: Option<Name> = "none",
        /// What differs here, laid over the components of the same names.
        components: Names<ComponentConfig> = "{}",
    }
}

/// One component as it will be planned.
#[derive(Clone, Debug)]
pub struct Copy<'d> {
    /// Its full name: `eu.web`, or `web` where there is one.
    pub name: String,
    /// The name that was written.
    pub base: &'d Spanned<String>,
    /// Its region; none for what spans regions, or where there are none.
    pub region: Option<u16>,
    /// What was written, with what differs in the region.
    pub config: &'d ComponentConfig,
}

/// Lays what differs in a region over the components, so that each region has them in full.
pub fn lay(tree: &mut Spanned<Node>, out: &mut Diagnostics) {
    let Node::Map(entries) = &tree.value else { return };
    let components = entries.iter().find(|(key, _)| key.value == "components").cloned();
    let Node::Map(entries) = &mut tree.value else { return };
    let regions = entries.iter_mut().find(|(key, _)| key.value == "regions");
    let Some((_, Spanned { value: Node::Map(regions), .. })) = regions else { return };
    for (_, region) in regions {
        let Node::Map(keys) = &mut region.value else { continue };
        let here = keys.iter_mut().find(|(key, _)| key.value == "components");
        let Some((_, Spanned { value: Node::Map(patches), .. })) = here else { continue };
        for (name, patch) in patches {
            let base = components.as_ref().and_then(|(_, all)| all.value.get(&name.value));
            let Some(base) = base else {
                let all = components.iter().flat_map(|(_, all)| all.value.as_map());
                let known: Vec<&str> = all.flatten().map(|(key, _)| key.value.as_str()).collect();
                let message = format!("there is no component `{}` to differ from", name.value);
                let help = did_you_mean(&name.value, "component", &known);
                out.error("E0501", name.span, message).help(help);
                continue;
            };
            *patch = merge(base.clone(), patch.clone(), ComponentConfig::shape(), out);
        }
    }
}

/// The components to be planned, in the order of the document and within it of the regions.
pub fn copies<'d>(document: &'d Document, out: &mut Diagnostics) -> Vec<Copy<'d>> {
    let regions: Vec<&str> = document.regions.keys();
    let mut copies = Vec::new();
    for (base, written) in document.components.iter() {
        let room = written.value.room();
        let places = &room.common().r#in;
        let mut chosen = Vec::new();
        for place in &places.value.0 {
            match regions.iter().position(|region| *region == place.value.0) {
                Some(region) => chosen.push(region),
                None => {
                    let help = did_you_mean(&place.value.0, "region", &regions);
                    let message = format!("there is no region `{}`", place.value.0);
                    out.error("E0501", place.span, message).help(help);
                }
            }
        }
        if room.spans() && !places.value.0.is_empty() {
            let message = format!("a {} spans regions", written.value.kind_name());
            out.error("E0504", places.span, message)
                .help("its parts have places of their own: `primary: { in: … }`");
        }
        if regions.is_empty() || room.spans() {
            let name = base.value.clone();
            copies.push(Copy { name, base, region: None, config: &written.value });
            continue;
        }
        if places.value.0.is_empty() {
            chosen = (0..regions.len()).collect();
        }
        for region in chosen {
            let own = document.regions.get(regions[region]);
            let own = own.and_then(|config| config.value.components.get(&base.value));
            copies.push(Copy {
                name: format!("{}.{}", regions[region], base.value),
                base,
                region: Some(region as u16),
                config: own.map_or(&written.value, |own| &own.value),
            });
        }
    }
    copies
}

/// The regions with their zones and the share of the users that live in each.
pub fn facts(document: &Document, out: &mut Diagnostics) -> Vec<RegionFacts> {
    let written = &document.users.regions;
    let count = document.regions.len();
    if count > REGIONS_MAX {
        let message = format!("{count} regions, of at most {REGIONS_MAX}");
        out.error("E0504", document.regions.span, message);
    }
    let known = document.regions.keys();
    for (name, _) in written.iter() {
        if !known.contains(&name.value.as_str()) {
            let message = format!("there is no region `{}`", name.value);
            out.error("E0501", name.span, message).help(did_you_mean(
                &name.value,
                "region",
                &known,
            ));
        }
    }
    let share = |name: &str| match written.is_empty() {
        true => 1.0 / count as f64,
        false => written.get(name).map_or(0.0, |share| share.value.0),
    };
    let total: f64 = known.iter().map(|name| share(name)).sum();
    if count > 0 && (total - 1.0).abs() > 1e-9 {
        let message = format!("the shares of the regions come to {:.1} %", total * 100.0);
        out.error("E0504", written.span, message).help("everyone lives somewhere: 100 %");
    }
    let (mut first_zone, mut users_bound) = (0, 0.0);
    let mut facts = Vec::new();
    for (name, region) in document.regions.iter() {
        users_bound += share(&name.value);
        let zones = region.value.zones.value as u16;
        facts.push(RegionFacts { name: name.value.clone(), first_zone, zones, users_bound });
        first_zone += zones;
    }
    facts
}

/// The delays of the network, between the regions too.
pub fn network(document: &Document, out: &mut Diagnostics) -> NetworkPlan {
    let regions = document.regions.iter();
    let mut sites = Vec::new();
    for (name, region) in regions {
        let written = &region.value.location;
        let location = written.value.as_ref().and_then(|place| {
            let found = Location::of(&place.0);
            if found.is_none() {
                let message = format!("`{}` is no known place", place.0);
                out.error("E0501", written.span, message).help(did_you_mean(
                    &place.0,
                    "place",
                    Location::names(),
                ));
            }
            found
        });
        sites.push(Site { name: name.value.clone(), location });
    }
    let plan = |config: &NetworkConfig| config.plan(&sites, document.regions.span, out);
    let none = || NetworkPlan::none(sites.len());
    document.network.value.as_ref().map(plan).unwrap_or_else(none)
}

/// Gives the name of a component its meaning: the one, or the copies it has so far.
pub fn meaning(copy: &Copy<'_>, id: ComponentId, planner: &mut Planner<'_>) -> Option<Meaning> {
    let Some(region) = copy.region else { return Some(Meaning::Component(id)) };
    if let Some(Meaning::Copies(number)) = planner.names.get(&copy.base.value) {
        planner.copies[*number][region as usize] = Some(id);
        return None;
    }
    let mut places = vec![None; planner.topology.regions()];
    places[region as usize] = Some(id);
    planner.copies.push(places);
    Some(Meaning::Copies(planner.copies.len() - 1))
}
