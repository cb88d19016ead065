//! Two runs side by side: what is different, by how much, and whether that can be told from chance.
//!
//! Runs with the same seed drew the same random numbers for the k-th request of replication r, so
//! their replications are paired and what they share cancels out. Runs with different seeds are
//! compared by Welch's interval. It works on what a summary keeps, so a run of today can be
//! compared with one that was saved; it runs nothing.

use super::gate::{Gate, GateError};
use super::statistics::{Estimate, Value, wilson};
use super::summary::{Better, Figure, Judged, Named, ScenarioId, Summary, Unit};
use super::verdict::Verdict;

/// One of the runs that are compared: what a summary says that a comparison needs.
#[derive(Clone, Debug, PartialEq)]
pub struct Side {
    /// What it is called in the comparison.
    pub label: String,
    /// Which scenario was run.
    pub scenario: ScenarioId,
    /// The seed of all random numbers.
    pub seed: u64,
    /// Number of replications.
    pub replications: u32,
    /// Headline figures, replication by replication.
    pub figures: Named<Figure>,
    /// The verdict on all SLOs together; absent without SLOs.
    pub verdict: Option<Verdict>,
    /// What limits it, and at how many requests per second.
    pub limit: Option<(String, f64)>,
}

impl Side {
    /// A side from a summary.
    pub fn of(label: impl Into<String>, summary: &Summary) -> Self {
        let limit = summary.bottleneck.as_ref().map(|bottleneck| {
            let first = &bottleneck.limits[0];
            (format!("{} {}", first.component, first.resource), first.limit_rps)
        });
        let verdicts = |slo: &[Judged]| Verdict::all(slo.iter().map(|one| one.verdict));
        Self {
            label: label.into(),
            scenario: summary.scenario.clone(),
            seed: summary.seed,
            replications: summary.replications,
            figures: summary.figures.clone(),
            verdict: (!summary.slo.is_empty()).then(|| verdicts(&summary.slo)),
            limit,
        }
    }

    /// A figure by its address.
    pub fn figure(&self, name: &str) -> Option<&Figure> {
        self.figures.iter().find(|(known, _)| known == name).map(|(_, figure)| figure)
    }

    /// Whether its replications are the other's: the same seed, so the same random numbers.
    fn is_paired_with(&self, other: &Side) -> bool {
        self.seed == other.seed && self.replications.min(other.replications) >= 2
    }
}

/// Several runs, each against the first.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// The run that the others are compared with.
    pub base: Side,
    /// The others.
    pub others: Vec<Versus>,
}

/// One run against the base.
#[derive(Clone, Debug, PartialEq)]
pub struct Versus {
    /// The run.
    pub side: Side,
    /// Whether replications were paired.
    pub paired: bool,
    /// The figures that both have, in the order of the base.
    pub changes: Vec<Change>,
    /// Figures that only one of them has.
    pub missing: Vec<String>,
    /// The gates, judged.
    pub gates: Vec<GateVerdict>,
}

/// One figure in two runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// Its address.
    pub name: String,
    /// Its unit.
    pub unit: Unit,
    /// Which way is better.
    pub better: Option<Better>,
    /// The base's.
    pub base: Estimate,
    /// The other's.
    pub other: Estimate,
    /// The other's less the base's, with the interval of the difference.
    pub difference: Estimate,
    /// What it means.
    pub effect: Effect,
}

/// What a difference means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It is told from zero and good.
    Better,
    /// It is told from zero and bad.
    Worse,
    /// It is told from zero and neither.
    Different,
    /// The interval of the difference holds zero.
    Indistinguishable,
    /// All replications have the same figure in both.
    Equal,
    /// There is no interval.
    Unknown,
}

impl Effect {
    /// The word of reports and of JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Better => "better",
            Self::Worse => "worse",
            Self::Different => "different",
            Self::Indistinguishable => "indistinguishable",
            Self::Equal => "equal",
            Self::Unknown => "unknown",
        }
    }

    /// Whether the figures are told apart.
    pub const fn is_told(self) -> bool {
        matches!(self, Self::Better | Self::Worse | Self::Different)
    }
}

/// A gate and what became of it.
#[derive(Clone, Debug, PartialEq)]
pub struct GateVerdict {
    /// The gate as written.
    pub text: String,
    /// How far the figure goes beyond the limit: above zero it is a regression.
    pub excess: Estimate,
    /// The unit of the excess.
    pub unit: Unit,
    /// Holds where the regression is within the limit, fails where one beyond it is proven.
    pub verdict: Verdict,
}

/// The runs, each against the first. There are at least two.
///
/// # Errors
/// A gate of a figure that a side has not got, with the names that both have.
pub fn compare(sides: Vec<Side>, gates: &[Gate]) -> Result<Comparison, GateError> {
    let mut sides = sides.into_iter();
    let base = sides.next().expect("there is something to compare with");
    let versus = |side: Side| versus(&base, side, gates);
    let others = sides.map(versus).collect::<Result<Vec<_>, _>>()?;
    Ok(Comparison { base, others })
}

impl Comparison {
    /// The verdict on all gates together.
    pub fn verdict(&self) -> Verdict {
        let gates = self.others.iter().flat_map(|other| &other.gates);
        Verdict::all(gates.map(|gate| gate.verdict))
    }
}

fn versus(base: &Side, side: Side, gates: &[Gate]) -> Result<Versus, GateError> {
    let paired = base.is_paired_with(&side);
    let mut changes = Vec::new();
    let mut missing = Vec::new();
    for (name, before) in &base.figures {
        match side.figure(name).filter(|after| after.unit == before.unit) {
            Some(after) => changes.push(change(name, before, after, paired)),
            None => missing.push(name.clone()),
        }
    }
    let only_here = side.figures.iter().filter(|(name, _)| base.figure(name).is_none());
    missing.extend(only_here.map(|(name, _)| name.clone()));
    let gates = gates.iter().map(|gate| gate.judge(base, &side, paired));
    let gates = gates.collect::<Result<Vec<_>, _>>()?;
    Ok(Versus { side, paired, changes, missing, gates })
}

fn change(name: &str, before: &Figure, after: &Figure, paired: bool) -> Change {
    let difference = difference(&after.values, &before.values, paired);
    let difference = rare(difference, before, after);
    let estimate = |figure: &Figure| Estimate::of(&figure.values).not_negative();
    Change {
        name: name.to_owned(),
        unit: before.unit,
        better: before.better,
        base: estimate(before),
        other: estimate(after),
        effect: effect(before, after, &difference),
        difference,
    }
}

/// The estimate of `first - second`; of paired runs over the replications that both have.
pub fn difference(first: &[Value], second: &[Value], paired: bool) -> Estimate {
    if !paired {
        return Estimate::of_unpaired_difference(first, second);
    }
    let both = first.len().min(second.len());
    Estimate::of_difference(&first[..both], &second[..both])
}

/// Two shares of which neither has had an event do not differ, as far as one can see: not further
/// than the larger of their Wilson intervals.
fn rare(difference: Estimate, before: &Figure, after: &Figure) -> Estimate {
    let trials = before.trials.min(after.trials);
    let all = |share: f64| {
        [before, after].iter().all(|one| one.values.iter().all(|v| *v == Value::Finite(share)))
    };
    let unseen = trials > 0 && (all(0.0) || all(1.0)) && difference.ci95 == Some([0.0, 0.0]);
    match wilson(0, trials).filter(|_| unseen) {
        Some([_, high]) => Estimate { ci95: Some([-high, high]), ..difference },
        None => difference,
    }
}

fn effect(before: &Figure, after: &Figure, difference: &Estimate) -> Effect {
    let both = before.values.len().min(after.values.len());
    if before.values[..both] == after.values[..both] && before.values.contains(&Value::NoData) {
        return Effect::Unknown;
    }
    if before.values[..both] == after.values[..both] {
        return Effect::Equal;
    }
    let of = |values: &[Value]| Estimate::of(values).mean;
    let up = match (difference.ci95, of(&before.values), of(&after.values)) {
        (Some([low, high]), ..) if low <= 0.0 && high >= 0.0 => return Effect::Indistinguishable,
        (Some([low, _]), ..) => low > 0.0,
        // One of them fails so often that the figure is infinite, in every replication or nearly.
        (None, Value::Finite(_), Value::Infinite) => true,
        (None, Value::Infinite, Value::Finite(_)) => false,
        _ => return Effect::Unknown,
    };
    match before.better {
        None => Effect::Different,
        Some(better) if up == (better == Better::Higher) => Effect::Better,
        Some(_) => Effect::Worse,
    }
}
