//! Compiling the users: who sends what, how often, and how long they wait.

use std::sync::Arc;

use super::document::Document;
use crate::components::call::Access;
use crate::components::config::DataConfig;
use crate::components::names::Planner;
use crate::components::topology::{Chooser, ComponentId, LinkId, OperationId, users};
use crate::language::{Diagnostics, Span, Spanned};
use crate::random::{Popularity, PopularityConfig};
use crate::units::{Count, Duration, Rate};
use crate::world::users::config::{ActivityConfig, OperationConfig, UsersConfig};
use crate::world::users::load::{LoadsPlan, Source, UserOperation, UsersPlan};

/// Ids of users where only a rate is given.
const USERS_OF_A_RATE: u32 = 1_000_000;
/// A page that loads more files than that is not meant; a frame counts them in 16 bits.
const LOADS_MAX: usize = 10_000;
/// After the measured time, at least this long is waited for what is still on its way.
const PATIENCE_LEAST: Duration = Duration(60_000_000_000);

/// Whether users choose an operation of their own accord, rather than because a page or a visit
/// has it; `any` says if one of the operations has a weight.
pub(super) fn begins(
    config: &UsersConfig,
    any: bool,
    name: &str,
    operation: &OperationConfig,
) -> bool {
    let visits = config.sessions.value.as_ref();
    let login = visits.and_then(|visits| visits.login.value.as_ref());
    let chosen = !any && login.is_none_or(|login| login.0 != name);
    operation.weight.value.is_some() || chosen
}

/// The load; `None` only after an error was reported.
pub(super) fn plan(
    document: &Document,
    shrink: f64,
    activity: &Arc<Popularity>,
    planner: &mut Planner<'_>,
) -> Option<UsersPlan> {
    let config = &document.users.value;
    let (source, count) = source(config, document.users.span, shrink, planner)?;
    let mut operations = Vec::new();
    let mut weights = Vec::new();
    let written = &config.operations.value;
    if written.is_empty() {
        let entry = entry(document, None, planner)?;
        let patience = config.client.timeout.value;
        operations.push(UserOperation {
            entry,
            fallback: fallback(document, entry, planner),
            access: Access::Call,
            data: None,
            patience,
            fresh: false,
            loads: None,
        });
        weights.push(1.0);
    }
    let any = written.iter().any(|(_, operation)| operation.weight.value.is_some());
    // The same order as the ids: those that users begin with come first.
    let (first, second): (Vec<_>, Vec<_>) =
        written.iter().partition(|(name, o)| begins(config, any, &name.value, o));
    for (_, operation) in first.iter().chain(&second) {
        operations.push(self::operation(document, operation, planner)?);
    }
    weights.extend(first.iter().map(|(_, o)| o.weight.value.unwrap_or(1.0)));
    let visits = match &config.sessions.value {
        Some(visits) => Some(super::visits::plan(config, visits, planner)?),
        None => None,
    };
    let total: f64 = weights.iter().sum();
    if total <= 0.0 {
        let message = "the weights of the operations are all zero";
        planner.out.error("E0504", config.operations.span, message);
        return None;
    }
    let mut sum = 0.0;
    let bounds = weights.iter().map(|weight| {
        sum += weight / total;
        sum
    });
    let bounds = bounds.collect();
    let patience_max = match config.client.timeout.value {
        Some(timeout) => timeout.max(PATIENCE_LEAST),
        None => document.run.duration.value.max(PATIENCE_LEAST),
    };
    let counted = config.count.value.is_some();
    let activity = match config.activity.value {
        ActivityConfig::Uniform => None,
        ActivityConfig::Zipf(_) => Some(activity.clone()),
    };
    Some(UsersPlan { count, counted, activity, source, visits, operations, bounds, patience_max })
}

/// How often which user sends; the users are numbered from 0.
pub(super) fn activity(config: &UsersConfig, shrink: f64) -> Arc<Popularity> {
    let count = match config.count.value {
        Some(Count::Finite(count)) => ids(count as f64 / shrink),
        _ => USERS_OF_A_RATE,
    };
    let count = u64::from(count);
    Arc::new(match config.activity.value {
        ActivityConfig::Uniform => Popularity::uniform(count),
        ActivityConfig::Zipf(exponent) => {
            Popularity::zipf(count, exponent.0).expect("the exponent was checked when read")
        }
    })
}

/// How often each of so many items of a data set is asked for, given that of the users and by how
/// much these were shrunk.
pub(super) fn popularity(
    data: &DataConfig,
    items: u64,
    (activity, shrink): (&Arc<Popularity>, f64),
    out: &mut Diagnostics,
) -> Arc<Popularity> {
    let law = &data.popularity;
    let error = match (&law.value, shrink == 1.0) {
        (PopularityConfig::Weights(_), false) => {
            "a list of weights is for all items and cannot be shrunk".to_owned()
        }
        (law, _) => match law.plan(items, activity) {
            Ok(popularity) => return Arc::new(popularity),
            Err(error) => error,
        },
    };
    if data.items.finite() != Some(0) {
        out.error("E0504", law.span, error);
    }
    Arc::new(Popularity::uniform(items))
}

/// Below which number the ids of so many users are.
fn ids(count: f64) -> u32 {
    count.round().clamp(1.0, f64::from(u32::MAX)) as u32
}

/// Where requests come from, and below which number user ids are.
fn source(
    config: &UsersConfig,
    span: crate::language::Span,
    shrink: f64,
    planner: &mut Planner<'_>,
) -> Option<(Source, u32)> {
    let count = match config.count.value {
        Some(Count::Unlimited) => {
            planner.out.error("E0504", config.count.span, "the number of users is finite");
            return None;
        }
        Some(Count::Finite(count)) => Some(count as f64 / shrink),
        None => None,
    };
    // What a script's load counts is visits.
    let script = config.sessions.value.as_ref().map_or(0, super::visits::scripted_requests);
    let open = |rate: f64, planner: &mut Planner<'_>| {
        let arrivals = config.arrivals.plan(planner.out)?;
        let profile = config.profile.plan(planner.out)?;
        let rate = rate * script.max(1) as f64;
        Some(Source::Open { rate: Rate(rate), arrivals, profile })
    };
    match (count, config.each.value, config.rate.value, &config.think.value) {
        (Some(count), Some(each), None, None) => Some((open(count * each.0, planner)?, ids(count))),
        (None, None, Some(rate), None) => Some((open(rate.0 / shrink, planner)?, USERS_OF_A_RATE)),
        (Some(count), None, Some(rate), None) => {
            Some((open(rate.0 / shrink, planner)?, ids(count)))
        }
        (Some(count), None, None, Some(think)) => {
            only_open(config, planner.out);
            Some((Source::Closed { think: think.plan() }, ids(count)))
        }
        _ => {
            planner.out.error("E0509", span, "it is not clear how many requests come").help(
                "open load: `count` with `each`, or `rate`; closed loop: `count` with `think`",
            );
            None
        }
    }
}

/// Reports what has a meaning for an open load only.
fn only_open(config: &UsersConfig, out: &mut Diagnostics) {
    let arrivals = config.arrivals.plan(out).is_some_and(|plan| !plan.is_poisson());
    let profile = config.profile.plan(out).is_some_and(|plan| !plan.is_constant());
    let activity = config.activity.value != ActivityConfig::Uniform;
    let sessions = config.sessions.value.is_some();
    for (key, span, given) in [
        ("sessions", config.sessions.span, sessions),
        ("arrivals", config.arrivals.span, arrivals),
        ("profile", config.profile.span, profile),
        ("activity", config.activity.span, activity),
    ] {
        if given {
            out.error("E0504", span, format!("`{key}` has no effect on people who wait and think"))
                .help("it belongs to an open load: `count` with `each`, or `rate`");
        }
    }
}

fn entry(
    document: &Document,
    own: Option<&Spanned<Option<crate::language::Name>>>,
    planner: &mut Planner<'_>,
) -> Option<LinkId> {
    let own = own.and_then(|own| own.value.as_ref().map(|name| (name.0.as_str(), own.span)));
    let (name, span) = own.unwrap_or((&document.entry.value.0, document.entry.span));
    let (targets, names) = called(name, span, planner)?;
    let target = targets[0];
    let mut policy = document.users.client.plan();
    planner.one_node(target, &mut policy);
    let (_, backends): (Vec<_>, Vec<_>) = planner.instances_of(&targets).into_iter().unzip();
    let choice = planner.users_choice(&targets, &backends);
    let link = planner.link_by(names, users(), &targets, policy, |_| choice);
    let regions = planner.topology.regions() > 1;
    let plan = &mut planner.topology.links[link.index()];
    if regions && plan.chooser == Chooser::Balancer {
        plan.nearest = true;
    }
    Some(link)
}

/// What users call under a name: a component, its copies, or what a name server stands for, and
/// the number of that.
fn called(
    name: &str,
    span: Span,
    planner: &mut Planner<'_>,
) -> Option<(Vec<ComponentId>, Option<u16>)> {
    let targets = planner.copies(name, span)?;
    if let Some((number, named)) = planner.named.get(&targets[0]) {
        return Some((named.clone(), Some(*number)));
    }
    Some((targets, None))
}

/// Where users turn to when an entry is dead, if it says so: of several, the nearest.
fn fallback(document: &Document, entry: LinkId, planner: &mut Planner<'_>) -> Option<LinkId> {
    let mut origins = Vec::new();
    for &(entry, _) in &planner.topology.links[entry.index()].targets {
        origins.extend(planner.asides[entry.index()].fallback);
    }
    origins.dedup();
    let &first = origins.first()?;
    let mut policy = document.users.client.plan();
    planner.one_node(first, &mut policy);
    let (_, names): (Vec<_>, Vec<_>) = planner.instances_of(&origins).into_iter().unzip();
    let choice = planner.users_choice(&origins, &names);
    let link = planner.link_to(users(), &origins, policy, |_| choice);
    let several = planner.topology.regions() > 1;
    let plan = &mut planner.topology.links[link.index()];
    plan.nearest |= several && plan.chooser == Chooser::Balancer;
    Some(link)
}

/// Reports users who would have to ask behind a cache: they have no program.
fn asked_for(
    operation: &Spanned<OperationConfig>,
    entry: Option<LinkId>,
    data: bool,
    planner: &mut Planner<'_>,
) {
    let Some(entry) = entry.filter(|_| data) else { return };
    let target = planner.topology.links[entry.index()].target();
    let aside = planner.asides[target.index()];
    let (reads, writes) = (&operation.reads, &operation.writes);
    let reading = reads.value.is_some();
    if aside.over.is_none() || if reading { aside.asks } else { aside.takes_writes } {
        return;
    }
    let span = if reading { reads.span } else { writes.span };
    planner
        .out
        .error("E0504", span, "users do not ask behind a cache themselves")
        .help("let the cache do it, `strategy: write_through`, or let users enter at a service");
}

fn operation(
    document: &Document,
    operation: &Spanned<OperationConfig>,
    planner: &mut Planner<'_>,
) -> Option<UserOperation> {
    let entry = entry(document, Some(&operation.entry), planner);
    let (access, data) = match (&operation.reads.value, &operation.writes.value) {
        (Some(reads), None) => (Access::Read, planner.data(&reads.0, operation.reads.span)),
        (None, Some(writes)) => (Access::Write, planner.data(&writes.0, operation.writes.span)),
        (None, None) => (Access::Call, None),
        (Some(_), Some(_)) => {
            let message = "an operation `reads` or `writes` one data set";
            planner
                .out
                .error("E0504", operation.writes.span, message)
                .help("what its steps read and write stands in the handlers");
            (Access::Call, None)
        }
    };
    asked_for(operation, entry, data.is_some(), planner);
    let fallback = entry.and_then(|entry| fallback(document, entry, planner));
    let mut requests = Vec::new();
    for (name, number) in operation.loads.iter() {
        let Some(load) = planner.operation(&name.value, name.span) else { continue };
        let known = document.users.operations.get(&name.value);
        if known.is_none_or(|known| !known.loads.is_empty()) {
            let message = format!("`{}` cannot be loaded by a page", name.value);
            planner
                .out
                .error("E0504", name.span, message)
                .help("a load is an operation of the users that loads nothing itself");
            continue;
        }
        let number = number.value as usize;
        requests.extend(std::iter::repeat_n::<OperationId>(load, number));
    }
    // A default stands at the place of the block.
    if operation.loads.is_empty() && operation.parallel.span != operation.span {
        let message = "`parallel` has no effect on an operation that loads nothing";
        planner
            .out
            .error("E0504", operation.parallel.span, message)
            .help("it says how many of the `loads` are fetched at once");
    }
    if requests.len() > LOADS_MAX {
        let message = format!("`loads` has {LOADS_MAX} in all at most, not {}", requests.len());
        planner.out.error("E0203", operation.loads.span, message);
    }
    let parallel = operation.parallel.value as u16;
    let patience = operation.patience.value.or(document.users.client.timeout.value);
    Some(UserOperation {
        entry: entry?,
        fallback,
        access,
        data,
        patience,
        fresh: operation.fresh.value,
        loads: (!requests.is_empty()).then_some(LoadsPlan { requests, parallel }),
    })
}
