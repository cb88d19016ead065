//! What is done on purpose, as it is written, and whom it concerns.

use super::document::Document;
use super::flow::Flow;
use crate::components::ComponentPlan;
use crate::components::call::Access;
use crate::components::cdn::{Held, PurgePlan};
use crate::components::config::DataConfig;
use crate::components::names::Planner;
use crate::components::topology::{DataId, Topology};
use crate::engine::stream::salt;
use crate::language::{Diagnostics, Name};
use crate::units::{Duration, Instant, Ratio};
use crate::{config, verbs};

verbs! {
    /// Something that is done on purpose.
    pub enum ChangeConfig, "change" {
        /// Copies are thrown away, so that they are fetched again.
        purge: Purge(PurgeConfig),
    }
    unbuilt {
        deploy: "new versions, batch by batch",
        rollback: "going back to an older version",
        scale: "more or fewer instances",
        restart: "restarts",
        failover: "planned promotions",
        steer: "moving users between regions",
        reshard: "another number of shards",
        warm: "filling a cache beforehand",
        shed: "rejecting at the entry",
        allow: "reopening slowly",
    }
}

config! {
    /// Copies are thrown away, so that they are fetched, or pushed, again.
    pub struct PurgeConfig {
        /// The edge cache.
        purge: Name = required,
        /// When, counted from the end of the warm-up.
        at: Duration = required,
        /// The data set; when left out, all.
        of: Option<Name> = "none",
        /// The share of its items, drawn by the seed.
        share: Ratio = "100%",
    }
}

impl ChangeConfig {
    /// When it is done.
    pub(super) fn at(&self) -> Duration {
        let Self::Purge(purge) = self;
        purge.at.value
    }
}

/// Tells the components' plans what will be done to them.
pub(super) fn plan(
    document: &Document,
    planner: &mut Planner<'_>,
    components: &mut [ComponentPlan],
) {
    for (name, change) in document.changes.iter() {
        let ChangeConfig::Purge(purge) = &change.value;
        let of = match &purge.of.value {
            Some(data) => planner.data(&data.0, purge.of.span).map(Some),
            None => Some(None),
        };
        let ids = planner.copies(&purge.purge.0, purge.purge.span);
        let (Some(data), Some(ids)) = (of, ids) else { continue };
        for id in ids {
            match &mut components[id.index() - 1] {
                ComponentPlan::Cdn(cdn) if matches!(cdn.held, Held::Contents(_)) => {
                    cdn.purges.push(PurgePlan {
                        at: Instant(purge.at.value.0),
                        data,
                        share: purge.share.value.0,
                        salt: salt(&name.value),
                    });
                }
                _ => {
                    let message = format!("`{}` keeps no copies to purge", purge.purge.0);
                    planner
                        .out
                        .error("E0504", purge.purge.span, message)
                        .help("what is purged is a `cdn` with a `capacity`");
                    break;
                }
            }
        }
    }
}

/// The time between two changes of an item by itself.
pub(super) fn period(data: &DataConfig, out: &mut Diagnostics) -> Option<Duration> {
    let rate = data.changes.value.0;
    if rate > 1e6 {
        let message = "an item changes a million times a second at most";
        out.error("E0504", data.changes.span, message);
    }
    (rate > 0.0).then(|| Duration(((1e9 / rate).round() as i64).max(1)))
}

/// Reports items that are pushed to the edge and written: who would push them again?
pub(super) fn written_and_pushed(
    document: &Document,
    components: &[ComponentPlan],
    flow: &Flow,
    out: &mut Diagnostics,
) {
    for (index, (name, _)) in document.data.iter().enumerate() {
        let of = |access: Access| {
            let visits = flow.rates.keys();
            visits.filter(move |one| one.data == Some(DataId::new(index)) && one.access == access)
        };
        let pushed = of(Access::Read).any(|visit| {
            let room = visit.component.index().checked_sub(1).map(|room| &components[room]);
            matches!(room, Some(ComponentPlan::Cdn(cdn)) if cdn.push.is_some())
        });
        if pushed && of(Access::Write).next().is_some() {
            let message =
                format!("the items of `{}` are pushed to the edge and written", name.value);
            out.error("E0504", name.span, message)
                .help("writes are not pushed: let the edge have `mode: pull`, with a `ttl`");
        }
    }
}

/// Reports items that change by themselves and are written, too: whose version would be newer?
pub(super) fn written_and_changing(
    document: &Document,
    topology: &Topology,
    flow: &Flow,
    out: &mut Diagnostics,
) {
    for (index, (name, data)) in document.data.iter().enumerate() {
        let written = flow
            .rates
            .keys()
            .any(|visit| visit.data == Some(DataId::new(index)) && visit.access == Access::Write);
        if topology.data[index].changes.is_some() && written {
            let message =
                format!("the items of `{}` are written and change by themselves", name.value);
            out.error("E0504", data.value.changes.span, message)
                .help("remove `changes`, or put what is written into another data set");
        }
    }
}
