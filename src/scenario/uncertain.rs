//! What is not known exactly of a scenario, and the scenario with other values in these places.
//!
//! A run uses every value as written, so a range changes no result and is no part of the digest. It
//! knows where ranges may not stand and finds out which ends a key refuses; how values between the
//! ends are chosen, it does not know.

use super::file::{Resolved, ScenarioFile};
use super::regions::lay;
use super::{Scenario, compile};
use crate::language::node::Node;
use crate::language::uncertain::{Uncertain, take};
use crate::language::{Decode, Diagnostics, Severity, Spanned};
use crate::units::Quantity;

/// Takes the ranges out of the merged tree, so that each value stands as written.
pub fn nominal(tree: &mut Spanned<Node>, out: &mut Diagnostics) -> Vec<Uncertain> {
    let mut found = Vec::new();
    let mut keep = |one: &Uncertain| {
        found.push(one.clone());
        None
    };
    take(tree, ScenarioFile::shape(), &mut keep, out);
    for one in found.iter().filter(|one| one.path.starts_with("run.")) {
        out.error("E0205", one.span, "how a scenario is run has no range")
            .help("a range says what is not known of the system; write the value alone");
    }
    found
}

/// Reports every end of a written range that its key refuses; the values themselves are right.
pub fn check_ends(merged: &Spanned<Node>, uncertain: &[Uncertain], out: &mut Diagnostics) {
    for (index, one) in uncertain.iter().enumerate().filter(|(_, one)| one.source.is_none()) {
        for end in [one.low, one.high] {
            let mut values: Vec<Quantity> = uncertain.iter().map(|other| other.value).collect();
            values[index] = end;
            let (tree, mut found) = (with(merged, &values), Diagnostics::new());
            ScenarioFile::decode(&tree, &mut found);
            if let Some(mistake) = found.sorted().iter().find(|one| one.severity == Severity::Error)
            {
                let message = format!("at the end {end} of its range: {}", mistake.message);
                out.error("E0205", one.span, message);
                break;
            }
        }
    }
}

/// The tree with these values in the uncertain places, in their order.
fn with(merged: &Spanned<Node>, values: &[Quantity]) -> Spanned<Node> {
    let (mut tree, mut values) = (merged.clone(), values.iter().copied());
    let (shape, mut known) = (ScenarioFile::shape(), Diagnostics::new());
    take(&mut tree, shape, &mut |_| values.next(), &mut known);
    lay(&mut tree, &mut known);
    tree
}

impl Resolved {
    /// The scenario with these values in its uncertain places, in the order of
    /// [`uncertain`](Self::uncertain); or what is wrong with it then.
    pub fn with(&self, values: &[Quantity]) -> Result<Scenario, Diagnostics> {
        let tree = with(&self.merged, values);
        let mut found = Diagnostics::new();
        let file = ScenarioFile::decode(&tree, &mut found);
        let scenario = file.and_then(|file| compile(&file.document, &mut found));
        match scenario {
            Some(scenario) if !found.has_errors() => Ok(scenario),
            _ => Err(found),
        }
    }
}
