//! Regions: copies, distances, names, outages, and stores that span them. Every knob has the effect
//! that it names.

mod copies;
mod names;
mod places;
mod stores;

use crate::knobs_data::bench::Trial;
use simscale::metrics::Histogram;

/// Latency of all users, wherever they live.
fn everyone(trial: &Trial) -> Histogram {
    let mut all = Histogram::new();
    trial.observed.users.iter().for_each(|ledger| all.merge(&ledger.latency));
    all
}
