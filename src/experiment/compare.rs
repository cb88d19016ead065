//! Two runs side by side: what is different, by how much, and whether that can be told from chance.
//!
//! Runs with the same seed and warm-up drew the same random numbers for the k-th request of
//! replication r, so their replications are paired and what they share cancels out. Others are
//! compared by Welch's interval. It works on what a summary keeps, so a run of today can be
//! compared with one that was saved; it runs nothing.

use super::gate::{Gate, GateError};
use super::statistics::{Estimate, Value};
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
    /// Time before the measured time, in seconds.
    pub warmup_s: f64,
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
            warmup_s: summary.warmup_s,
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

    /// What the two runs have in common.
    pub fn kinship(&self, other: &Side) -> Kinship {
        let draws = |side: &Side| (side.seed, side.warmup_s.to_bits());
        let paired = draws(self) == draws(other);
        let whole = (&self.scenario.digest, self.replications);
        match paired && self.replications.min(other.replications) >= 2 {
            true if whole == (&other.scenario.digest, other.replications) => Kinship::Same,
            true => Kinship::Paired,
            false => Kinship::Apart,
        }
    }
}

/// What two runs have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kinship {
    /// Everything: they are one run.
    Same,
    /// The random numbers of their replications: the same seed, and the same warm-up before the
    /// first measured request.
    Paired,
    /// Nothing.
    Apart,
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
    /// What it has in common with the base; replications of kin are paired.
    pub kinship: Kinship,
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
    /// The figure that it is about.
    pub figure: String,
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
    let kinship = base.kinship(&side);
    let mut changes = Vec::new();
    let mut missing = Vec::new();
    for (name, before) in &base.figures {
        match side.figure(name).filter(|after| after.unit == before.unit) {
            Some(after) => changes.push(change(name, before, after, kinship)),
            None => missing.push(name.clone()),
        }
    }
    let only_here = side.figures.iter().filter(|(name, _)| base.figure(name).is_none());
    missing.extend(only_here.map(|(name, _)| name.clone()));
    let gates = gates.iter().map(|gate| gate.judge(base, &side, kinship));
    let gates = gates.collect::<Result<Vec<_>, _>>()?;
    Ok(Versus { side, kinship, changes, missing, gates })
}

fn change(name: &str, before: &Figure, after: &Figure, kinship: Kinship) -> Change {
    let difference = combination((after, 1.0), (before, 1.0), 0.0, kinship);
    Change {
        name: name.to_owned(),
        unit: before.unit,
        better: before.better,
        base: before.estimate(),
        other: after.estimate(),
        effect: effect(before, after, &difference, kinship),
        difference,
    }
}

/// The estimate of `a first - (b second + shift)`, replication by replication where they are kin.
///
/// Where one of the two has hardly ever happened the interval is widened to that of the difference
/// of two independent shares or numbers (MOVER: Zou and Donner 2008, of Wilson's and Garwood's
/// intervals): that nothing has happened yet on either side proves nothing. Of one and the same
/// run nothing need be proven.
pub fn combination(
    (first, a): (&Figure, f64),
    (second, b): (&Figure, f64),
    shift: f64,
    kinship: Kinship,
) -> Estimate {
    let scaled = |values: &[Value], factor: f64, shift: f64| -> Vec<Value> {
        values.iter().map(|value| value.map(|v| v * factor + shift)).collect()
    };
    let (left, right) = (scaled(&first.values, a, 0.0), scaled(&second.values, b, shift));
    let both = left.len().min(right.len());
    let plain = match kinship {
        Kinship::Apart => Estimate::of_unpaired_difference(&left, &right),
        _ => Estimate::of_difference(&left[..both], &right[..both]),
    };
    if kinship == Kinship::Same || !(first.is_rare() || second.is_rare()) {
        return plain;
    }
    let ends = |figure: &Figure, factor: f64, shift: f64| -> Option<[f64; 3]> {
        let Estimate { mean, ci95 } = figure.estimate();
        let [low, high] = ci95?.map(|end| end * factor + shift);
        Some([low.min(high), mean.finite()? * factor + shift, low.max(high)])
    };
    let (Some(x), Some(y), Some([low, high])) =
        (ends(first, a, 0.0), ends(second, b, shift), plain.ci95)
    else {
        return plain;
    };
    let difference = x[1] - y[1];
    let least = difference - (x[1] - x[0]).hypot(y[2] - y[1]);
    let most = difference + (x[2] - x[1]).hypot(y[1] - y[0]);
    Estimate { ci95: Some([low.min(least), high.max(most)]), ..plain }
}

/// In how many replications a figure that became infinite, and none that ceased to be, is told
/// from chance: a two-sided sign test at 5 % needs six.
const TURNED: usize = 6;

/// Which way a figure went that is infinite in some replications; none where it is in none of them.
pub(super) fn turned(before: &Figure, after: &Figure) -> Option<Turned> {
    let pairs = || before.values.iter().zip(&after.values);
    let is = |value: &Value| *value == Value::Infinite;
    pairs().any(|(a, b)| is(a) || is(b)).then_some(())?;
    let worse = pairs().filter(|(a, b)| !is(a) && is(b)).count();
    let better = pairs().filter(|(a, b)| is(a) && !is(b)).count();
    Some(match (worse, better) {
        (worse, 0) if worse >= TURNED => Turned::Infinite,
        (0, better) if better >= TURNED => Turned::Finite,
        _ => Turned::Untold,
    })
}

/// What became of a figure that is infinite in some replications.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turned {
    Infinite,
    Finite,
    /// It cannot be told from chance, or it is infinite in both.
    Untold,
}

fn effect(before: &Figure, after: &Figure, difference: &Estimate, kinship: Kinship) -> Effect {
    let both = before.values.len().min(after.values.len());
    let equal = before.values[..both] == after.values[..both];
    let is_number = |value: &Value| value.finite().is_some();
    if kinship == Kinship::Same || (equal && before.values.iter().all(is_number)) {
        return Effect::Equal;
    }
    let up = match (turned(before, after), difference.ci95) {
        (Some(Turned::Untold), _) => return Effect::Unknown,
        (Some(turned), _) => turned == Turned::Infinite,
        (None, Some([low, high])) if low <= 0.0 && high >= 0.0 => return Effect::Indistinguishable,
        (None, Some([low, _])) => low > 0.0,
        (None, None) => return Effect::Unknown,
    };
    match before.better {
        None => Effect::Different,
        Some(better) if up == (better == Better::Higher) => Effect::Better,
        Some(_) => Effect::Worse,
    }
}
