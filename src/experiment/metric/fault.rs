//! Figures of a fault: over its occurrences in the measured time of one replication.

use super::Reading;
use crate::experiment::sample::Sample;
use crate::language::expression::Statistic;
use crate::metrics::Histogram;
use crate::world::Observations;
use crate::world::faults::Occurrence;

/// What is measured of a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultMeasure {
    /// From its start until a check had seen it.
    DetectTime,
    /// Requests that failed in the course of one occurrence.
    Errors,
    /// Requests that failed in the course of all occurrences.
    ErrorsTogether,
    /// Acknowledged writes lost by one occurrence, of those after which somebody took over.
    LostWrites,
    /// Acknowledged writes lost by all occurrences.
    LostWritesTogether,
}

/// The occurrences of a fault that began in the measured time.
pub fn occurrences(fault: usize, observed: &Observations) -> impl Iterator<Item = &Occurrence> {
    let end = observed.duration.0;
    let measured =
        move |one: &&Occurrence| usize::from(one.fault) == fault && (0..end).contains(&one.from.0);
    observed.faults.iter().filter(measured)
}

impl FaultMeasure {
    /// The figure in one replication.
    pub(super) fn read(
        self,
        fault: usize,
        statistic: Statistic,
        observed: &Observations,
    ) -> Reading {
        let occurrences = occurrences(fault, observed);
        match self {
            Self::DetectTime => {
                let mut seen = Histogram::new();
                occurrences.filter_map(|one| one.detected_after).for_each(|ns| seen.record(ns));
                Reading::figure(Sample::of([&seen], 0, 0).statistic(statistic))
            }
            Self::ErrorsTogether => Reading::events(occurrences.map(|one| one.errors).sum()),
            Self::LostWritesTogether => {
                Reading::events(occurrences.filter_map(|one| one.lost_writes).sum())
            }
            Self::Errors | Self::LostWrites => {
                let mut each = Histogram::new();
                let errors = self == Self::Errors;
                let count =
                    |one: &Occurrence| if errors { Some(one.errors) } else { one.lost_writes };
                occurrences.filter_map(count).for_each(|count| each.record(count as i64));
                Reading::figure(Sample::of([&each], 0, 0).statistic(statistic))
            }
        }
    }
}
