//! Compiling visits: what each consists of, with its operations found, and the data sets of the
//! sessions that components keep for their users.

use std::sync::Arc;

use super::document::Document;
use crate::components::names::{Meaning, Planner, word};
use crate::components::topology::{DataPlan, OperationId};
use crate::engine::stream::salt;
use crate::language::Spanned;
use crate::random::{Owners, Popularity, Sampler};
use crate::world::users::config::{TurnConfig, UsersConfig, VisitsConfig};
use crate::world::users::visits::VisitPlan;

/// How many requests a script has; none where visits are drawn.
pub(super) fn scripted_requests(visits: &VisitsConfig) -> usize {
    let request = |turn: &&Spanned<TurnConfig>| matches!(turn.value, TurnConfig::Request(_));
    visits.flow.value.iter().filter(request).count()
}

/// What a visit consists of; `None` only after an error was reported.
pub(super) fn plan(
    users: &UsersConfig,
    visits: &VisitsConfig,
    planner: &mut Planner<'_>,
) -> Option<VisitPlan> {
    match (&visits.requests.value, visits.flow.value.is_empty()) {
        (Some(requests), true) => {
            let requests = requests.plan();
            if requests.mean() == 0.0 {
                let message = "visits need a request now and then";
                planner.out.error("E0504", visits.requests.span, message);
                return None;
            }
            let login = match &visits.login.value {
                Some(name) => Some(operation(users, &name.0, visits.login.span, planner)?),
                None => None,
            };
            Some(VisitPlan::Drawn { requests, think: visits.think.value.plan(), login })
        }
        (None, false) => script(users, visits, planner),
        _ => {
            let message = "a visit is either a number of requests or a script";
            planner
                .out
                .error("E0504", users.sessions.span, message)
                .help("write `requests: 16`, or `flow: [ … ]`, and not both");
            None
        }
    }
}

fn script(
    users: &UsersConfig,
    visits: &VisitsConfig,
    planner: &mut Planner<'_>,
) -> Option<VisitPlan> {
    let others = [
        // A default stands at the place of the block.
        ("think", visits.think.span, visits.think.span != users.sessions.span),
        ("login", visits.login.span, visits.login.value.is_some()),
    ];
    for (key, span, _) in others.into_iter().filter(|other| other.2) {
        let message = format!("`{key}` has no effect beside a script");
        planner.out.error("E0504", span, message).help("the script says who does what when");
    }
    for (_, operation) in users.operations.iter() {
        if operation.weight.value.is_some() {
            let message = "`weight` has no effect where visits are scripted";
            planner.out.error("E0504", operation.weight.span, message);
        }
    }
    let mut turns: Vec<(OperationId, Vec<Sampler>)> = Vec::new();
    for turn in &visits.flow.value {
        match (&turn.value, turns.last_mut()) {
            (TurnConfig::Request(name), _) => {
                let (name, span) = word(name);
                turns.push((operation(users, name, span, planner)?, Vec::new()));
            }
            (TurnConfig::Think(think), Some((_, pauses))) => pauses.push(think.value.plan()),
            (TurnConfig::Think(_), None) => {
                planner.out.error("E0504", turn.span, "a visit begins with a request");
                return None;
            }
        }
    }
    if let (Some((_, pauses)), Some(last)) = (turns.last(), visits.flow.value.last())
        && !pauses.is_empty()
    {
        let message = "a pause after the last request has no effect";
        planner.out.error("E0504", last.span, message);
    }
    Some(VisitPlan::Scripted { turns })
}

/// An operation that users can send.
fn operation(
    users: &UsersConfig,
    name: &str,
    span: crate::language::Span,
    planner: &mut Planner<'_>,
) -> Option<OperationId> {
    let id = planner.operation(name, span)?;
    if id.index() < users.operations.len().max(1) {
        return Some(id);
    }
    let message = format!("users do not send `{name}`: it is an operation of a step");
    planner.out.error("E0504", span, message).help("name one of `users.operations`");
    None
}

/// The data sets that components have for their sessions, an item for each user: behind those of
/// the scenario, and without a name that a step could say.
pub(super) fn sessions(document: &Document, activity: &Arc<Popularity>, planner: &mut Planner<'_>) {
    let visits = document.users.sessions.value.as_ref();
    let login = visits.and_then(|visits| visits.login.value.as_ref());
    let login = login.and_then(|login| planner.names.get(&login.0));
    if let Some(Meaning::Operation(login)) = login {
        planner.login = Some(*login);
    }
    for (name, component) in document.components.iter() {
        let Some((store, span, size)) = component.room().keeps_sessions_in() else { continue };
        let found = planner.copies(&store.0, span).is_some();
        let home = planner.names.get(&store.0).copied().filter(|_| found);
        let items = activity.items();
        let first = planner.topology.items();
        planner.topology.data.push(DataPlan {
            name: format!("{}.sessions", name.value),
            items,
            size: Sampler::constant(size.0 as i64),
            popularity: activity.clone(),
            owners: Owners { items, users: items },
            salt: salt(&format!("sessions {}", name.value)),
            first,
            changes: None,
        });
        planner.homes.push(home);
    }
}
