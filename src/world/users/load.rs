//! The users of one replication: they send requests, wait, think, and load what pages need.
//!
//! A user request is a frame at the pseudo-component `users`; its call to the entry is its child.
//! The load does not know what stands behind the entry.

use std::sync::Arc;

use super::arrivals::{ArrivalPlan, ArrivalProcess};
use super::ledger::UserLedger;
use super::profile::ProfilePlan;
use super::visits::{VisitPlan, Visits};
use crate::components::call::{Access, CallKey, Phase, flag};
use crate::components::caller::Ask;
use crate::components::context::Cx;
use crate::components::event::Event;
use crate::components::outcome::{Cause, Failure, Reply};
use crate::components::record::Note;
use crate::components::topology::{ComponentId, DataId, LinkId, OperationId, Topology, users};
use crate::engine::list::List;
use crate::engine::stream::{DrawKey, salt};
use crate::metrics::Windows;
use crate::random::{Popularity, Sampler};
use crate::units::{Duration, Instant, Rate};

const REQUEST: u64 = salt("request");
const USER: u64 = salt("user");
const OPERATION: u64 = salt("operation");
const ENTRY: u64 = salt("entry");
const THINK: u64 = salt("think");
const FALLBACK: u64 = salt("fallback");
const LOAD: u64 = salt("load");
const LOOKUP: u64 = salt("lookup");
const VISIT: u64 = salt("visit");

/// What a page loads after its answer.
#[derive(Clone, Debug)]
pub struct LoadsPlan {
    /// The operations, one by one in the order of loading.
    pub requests: Vec<OperationId>,
    /// How many at once.
    pub parallel: u16,
}

/// One operation as users send it.
#[derive(Clone, Debug)]
pub struct UserOperation {
    /// The link to its entry.
    pub entry: LinkId,
    /// The link that is taken when the entry is dead.
    pub fallback: Option<LinkId>,
    /// What it wants, where the entry holds data.
    pub access: Access,
    /// The data set it is about.
    pub data: Option<DataId>,
    /// Answered later than this is no goodput.
    pub patience: Option<Duration>,
    /// Whether a stale read makes it fail.
    pub fresh: bool,
    /// What is loaded after the answer.
    pub loads: Option<LoadsPlan>,
}

/// Where requests come from.
#[derive(Clone, Debug)]
pub enum Source {
    /// They come by themselves, whatever happened to the last ones.
    Open {
        /// Mean rate of requests at factor 1; of visits, all theirs.
        rate: Rate,
        /// The process.
        arrivals: ArrivalPlan,
        /// The factor on the rate over time.
        profile: ProfilePlan,
    },
    /// Each user sends the next one a while after the last answer.
    Closed {
        /// The pause.
        think: Sampler,
    },
}

/// The whole load.
#[derive(Clone, Debug)]
pub struct UsersPlan {
    /// User ids are below this.
    pub count: u32,
    /// Whether that is the number of people; else ids were made up for a rate.
    pub counted: bool,
    /// Which user sends a request; none where all do alike.
    pub activity: Option<Arc<Popularity>>,
    /// Where requests come from.
    pub source: Source,
    /// What a visit of an open load consists of; none where each request is one.
    pub visits: Option<VisitPlan>,
    /// Operations; those beyond the length of `bounds` are only loaded by others, or prescribed by
    /// a visit.
    pub operations: Vec<UserOperation>,
    /// Cumulative probabilities of the operations where users choose.
    pub bounds: Vec<f64>,
    /// How long the observation goes on after the measured time for what is still on its way.
    pub patience_max: Duration,
}

impl UsersPlan {
    /// Each operation's part of the requests, without what pages load.
    pub fn shares(&self) -> Vec<f64> {
        let before = std::iter::once(&0.0).chain(&self.bounds);
        let chosen: Vec<f64> = self.bounds.iter().zip(before).map(|(b, a)| b - a).collect();
        match &self.visits {
            Some(visits) => visits.shares(self.operations.len(), &chosen),
            None => chosen,
        }
    }
}

impl UserOperation {
    /// The item that a request of a user is about; 0 if it is about none.
    #[inline(always)]
    fn item(&self, topology: &Topology, user: u32, request: DrawKey) -> u64 {
        match self.data {
            None => 0,
            Some(data) => {
                let set = &topology.data[data.index()];
                set.item(user, request.child(set.salt))
            }
        }
    }

    #[inline(always)]
    fn ask(&self, link: LinkId, operation: OperationId, item: u64, salt: u64) -> Ask {
        let Self { access, data, .. } = *self;
        Ask { link, operation, access, data, item, count: 1, version: 0, salt, flags: 0 }
    }
}

/// The users of one replication.
pub struct Users<'p> {
    plan: &'p UsersPlan,
    arrivals: Option<ArrivalProcess>,
    visits: Visits,
    /// Whether an answer decides when the next request is sent.
    paced: bool,
    /// Whether it matters which user sends a request.
    pub known: bool,
    next_number: u64,
    /// Requests so far of each closed user.
    sent: Vec<u32>,
    key: DrawKey,
    /// Requests of the cohort, pages still loading included, that are not resolved.
    pub outstanding: u64,
    /// By operation.
    pub ledgers: Vec<UserLedger>,
}

impl UsersPlan {
    /// The number of the ledger of an operation in a region; a request's stands in its `place`.
    #[inline]
    fn ledger(&self, region: u16, operation: OperationId) -> usize {
        region as usize * self.operations.len() + operation.index()
    }
}

impl<'p> Users<'p> {
    /// The users, whom some component may tell apart; schedules their first requests.
    pub fn new(plan: &'p UsersPlan, cx: &mut Cx<'_>, known: bool) -> Self {
        let measure = cx.ledger.measure;
        let windows = Windows::covering(0, measure.end.0, measure.window_ns);
        let start = cx.now();
        let mut load = Self {
            plan,
            arrivals: None,
            visits: Visits::default(),
            paced: plan.visits.is_some() || matches!(plan.source, Source::Closed { .. }),
            known: known || cx.topology.knows_users(),
            next_number: 0,
            sent: Vec::new(),
            key: cx.root.child(REQUEST),
            outstanding: 0,
            ledgers: vec![UserLedger::new(windows); plan.operations.len() * cx.topology.regions()],
        };
        match &plan.source {
            Source::Open { rate, arrivals, profile } => {
                let requests = plan.visits.as_ref().map_or(1.0, VisitPlan::mean_requests);
                let rate = Rate(rate.0 / requests);
                load.arrivals = Some(ArrivalProcess::new(arrivals, profile, rate, cx.root, start));
                load.schedule_arrival(cx);
            }
            Source::Closed { think } => {
                load.sent = vec![0; plan.count as usize];
                for user in 0..plan.count {
                    let key = load.key.child(u64::from(user)).child(THINK);
                    // Everyone is met somewhere in a pause, so that they do not come all at once.
                    let pause = think.residual(&mut key.draw());
                    cx.schedule.after(Duration(pause), Event::Thought(user));
                }
            }
        }
        load
    }

    #[inline(always)]
    fn schedule_arrival(&mut self, cx: &mut Cx<'_>) {
        let Some(arrivals) = &mut self.arrivals else { return };
        let (number, at) = arrivals.next();
        self.next_number = number;
        if at < Instant::NEVER {
            cx.schedule.from_source(at, Event::Arrival);
        }
    }

    /// The next request of the open load arrives.
    #[inline(always)]
    pub fn arrive(&mut self, cx: &mut Cx<'_>) {
        if let Some(visits) = &self.plan.visits {
            return self.visit(cx, visits);
        }
        let request = self.key.child(self.next_number);
        let user = if self.known { self.who(request) } else { 0 };
        self.schedule_arrival(cx);
        let operation = self.choose(request);
        self.send(cx, request, user, operation, CallKey::NONE);
    }

    #[inline(always)]
    fn who(&self, key: DrawKey) -> u32 {
        let mut draw = key.child(USER).draw();
        let user = match &self.plan.activity {
            None => draw.below(u64::from(self.plan.count)),
            Some(activity) => activity.sample(&mut draw),
        };
        user as u32
    }

    /// The next visit begins.
    #[cold]
    #[inline(never)]
    fn visit(&mut self, cx: &mut Cx<'_>, plan: &VisitPlan) {
        let visit = self.key.child(VISIT).child(self.next_number);
        let user = self.who(visit);
        self.schedule_arrival(cx);
        if let Some(place) = self.visits.begin(plan, visit, user) {
            self.next_of_visit(cx, plan, place);
        }
    }

    #[inline(never)]
    fn next_of_visit(&mut self, cx: &mut Cx<'_>, plan: &VisitPlan, place: u32) {
        let turn = self.visits.next(plan, place);
        let operation = turn.operation.unwrap_or_else(|| self.choose(turn.request));
        let key = self.send(cx, turn.request, turn.user, operation, CallKey::NONE);
        cx.calls[key].state = place;
    }

    /// A closed user, or the one of a visit, has thought enough.
    pub fn thought(&mut self, cx: &mut Cx<'_>, user: u32) {
        if let Some(visits) = &self.plan.visits {
            return self.next_of_visit(cx, visits, user);
        }
        let sent = &mut self.sent[user as usize];
        let request = self.key.child(u64::from(user)).child(u64::from(*sent));
        *sent += 1;
        let operation = self.choose(request);
        self.send(cx, request, user, operation, CallKey::NONE);
    }

    #[inline(always)]
    fn choose(&self, request: DrawKey) -> OperationId {
        if self.plan.bounds.len() == 1 {
            return OperationId::new(0);
        }
        let u = request.child(OPERATION).draw().unit();
        let bounds = &self.plan.bounds;
        OperationId::new(bounds.partition_point(|&bound| bound <= u).min(bounds.len() - 1))
    }

    #[inline(always)]
    fn send(
        &mut self,
        cx: &mut Cx<'_>,
        request: DrawKey,
        user: u32,
        operation: OperationId,
        page: CallKey,
    ) -> CallKey {
        let now = cx.now();
        let cohort = cx.ledger.measure.covers(now);
        let plan = &self.plan.operations[operation.index()];
        let home = cx.topology.region_of(user);
        let key = cx.calls.allocate();
        let frame = &mut cx.calls[key];
        frame.request = request;
        frame.draw = request;
        frame.parent = page;
        frame.flags = if cohort { flag::COHORT } else { 0 };
        frame.phase = Phase::Present;
        frame.component = users();
        frame.instance = home;
        frame.operation = operation;
        frame.row = operation.index() as u32;
        frame.user = user;
        frame.intended = now;
        frame.arrived = now;
        frame.waited = 0;
        frame.demand = 0;
        frame.children = List::default();
        frame.pending = 0;
        frame.notes = 0;
        self.outstanding += u64::from(cohort);
        cx.ledger.arrived(frame, now);
        let number = self.plan.ledger(home, operation);
        frame.place = number as u32;
        self.ledgers[number].offered(now, cohort);
        if cx.record.is_on() {
            cx.record.note(Note::Sent { request, at: now, user, operation });
        }
        let item = plan.item(cx.topology, user, request);
        if !cx.topology.names.is_empty() && self.asks_first(cx, key, item) {
            return key;
        }
        cx.call(key, plan.ask(plan.entry, operation, item, ENTRY));
        key
    }

    /// Whether the resolver of a request's user has to ask before the call can be made; then the
    /// call follows when it has.
    #[cold]
    fn asks_first(&self, cx: &mut Cx<'_>, key: CallKey, item: u64) -> bool {
        let frame = &cx.calls[key];
        let plan = &self.plan.operations[frame.operation.index()];
        let (user, home, draw) = (frame.user, frame.instance, frame.request.child(LOOKUP));
        let wait = cx.lookup(plan.entry, user, home, draw);
        if wait.0 == 0 {
            return false;
        }
        cx.calls[key].item = item;
        cx.wake(key, wait);
        true
    }

    /// The resolver of a request's user has its answer: the call is made.
    #[cold]
    pub fn named(&mut self, cx: &mut Cx<'_>, key: CallKey) {
        let frame = &cx.calls[key];
        let plan = &self.plan.operations[frame.operation.index()];
        cx.call(key, plan.ask(plan.entry, frame.operation, frame.item, ENTRY));
    }

    /// A request is resolved for its user; whether it failed.
    #[inline(always)]
    pub fn resolved(&mut self, cx: &mut Cx<'_>, key: CallKey, reply: Reply, attempts: u8) -> bool {
        if let Some(failure) = reply.failure
            && self.falls_back(cx, key, failure, attempts)
        {
            return false;
        }
        let now = cx.now();
        let frame = &cx.calls[key];
        let (operation, user, intended) = (frame.operation, frame.user, frame.intended);
        let (number, visit) = (frame.place as usize, frame.state);
        let cohort = frame.is(flag::COHORT);
        let page = frame.parent;
        let plan = &self.plan.operations[operation.index()];
        let latency = now.0 - intended.0;
        let good = plan.patience.is_none_or(|patience| latency <= patience.0);
        let (request, notes) = (frame.request, frame.notes);
        let failure = match notes {
            0 => reply.failure,
            _ => reply.failure.or_else(|| not_fresh(plan)),
        };
        let cause = failure.map(|failure| failure.cause);
        cx.ledger.left(frame, now, cause);
        if cx.record.is_on() {
            cx.record.note(Note::Ended { request, at: now, failure });
        }
        let ledger = &mut self.ledgers[number];
        ledger.attempts += if cohort { u64::from(attempts) } else { 0 };
        match failure {
            None => {
                if cohort {
                    ledger.answered(intended, latency, good, notes);
                }
                if cx.ledger.measure.covers(now) {
                    ledger.completed(now, good);
                }
            }
            Some(failure) if cohort => ledger.failed(failure, now),
            Some(_) => {}
        }
        if let (Some(loads), true) = (&plan.loads, failure.is_none()) {
            self.open_page(cx, key, loads);
        } else {
            self.outstanding -= u64::from(cohort);
            cx.calls.free(key);
            if !page.is_none() {
                self.loaded(cx, page, failure.is_none());
            }
        }
        // A user pauses after the answer to a request of their own, not after each load of a page.
        if self.paced && page.is_none() {
            self.go_on(cx, user, visit, failure.is_none());
        }
        failure.is_some()
    }

    /// The entry is dead: its user turns, once, to where the operation says, if it does.
    #[cold]
    fn falls_back(
        &mut self,
        cx: &mut Cx<'_>,
        key: CallKey,
        failure: Failure,
        attempts: u8,
    ) -> bool {
        let frame = &cx.calls[key];
        let plan = &self.plan.operations[frame.operation.index()];
        let dead = matches!(failure.cause, Cause::Refused | Cause::Crashed | Cause::Unreachable);
        let entries = &cx.topology.links[plan.entry.index()].targets;
        // An entry that is alive and has waited in vain for a dead component is not dead itself.
        let there = |&(entry, _): &(ComponentId, u16)| match failure.waiting_for {
            Some(awaited) => awaited == entry,
            None => failure.at == entry,
        };
        let Some(link) = plan.fallback.filter(|_| dead && entries.iter().any(there)) else {
            return false;
        };
        if frame.is(flag::COHORT) {
            self.ledgers[frame.place as usize].attempts += u64::from(attempts);
        }
        let item = plan.item(cx.topology, frame.user, frame.request);
        cx.call(key, plan.ask(link, frame.operation, item, FALLBACK));
        true
    }

    /// After an answer comes a pause, and the next request.
    fn go_on(&mut self, cx: &mut Cx<'_>, user: u32, visit: u32, ok: bool) {
        if let Some(plan) = &self.plan.visits {
            if let Some(pause) = self.visits.resolved(plan, visit, ok) {
                cx.schedule.after(Duration(pause), Event::Thought(visit));
            }
            return;
        }
        let Source::Closed { think } = &self.plan.source else { return };
        let sent = u64::from(self.sent[user as usize]);
        let key = self.key.child(u64::from(user)).child(sent).child(THINK);
        cx.schedule.after(Duration(think.sample(&mut key.draw())), Event::Thought(user));
    }

    /// The answer is a page: the client fetches what it needs.
    fn open_page(&mut self, cx: &mut Cx<'_>, page: CallKey, loads: &LoadsPlan) {
        let frame = &mut cx.calls[page];
        frame.phase = Phase::Inbound;
        frame.pending = loads.requests.len() as u16;
        frame.count = loads.parallel.min(frame.pending);
        let first = frame.count;
        // Whether a load has failed stands in the page's reply.
        frame.reply = Reply::OK;
        for turn in 0..first {
            self.load(cx, page, loads, turn);
        }
    }

    fn load(&mut self, cx: &mut Cx<'_>, page: CallKey, loads: &LoadsPlan, turn: u16) {
        let frame = &cx.calls[page];
        let request = frame.request.child(LOAD.wrapping_add(u64::from(turn)));
        let user = frame.user;
        self.send(cx, request, user, loads.requests[turn as usize], page);
    }

    /// What a page loaded is over: the page goes on with the next load, or is complete.
    fn loaded(&mut self, cx: &mut Cx<'_>, page: CallKey, ok: bool) {
        let frame = &mut cx.calls[page];
        frame.pending -= 1;
        if !ok {
            frame.reply = Reply::failed(Cause::Error, users());
        }
        let operation = frame.operation;
        let loads = self.plan.operations[operation.index()].loads.as_ref();
        let next = frame.count;
        if let Some(loads) = loads
            && (next as usize) < loads.requests.len()
        {
            frame.count += 1;
            return self.load(cx, page, loads, next);
        }
        if frame.pending > 0 {
            return;
        }
        let latency = cx.now().0 - cx.calls[page].intended.0;
        let frame = &cx.calls[page];
        if frame.is(flag::COHORT) {
            let complete = frame.reply.is_ok();
            let ledger = &mut self.ledgers[frame.place as usize];
            if complete {
                ledger.page_load.record(latency);
            } else {
                ledger.page_load_failed += 1;
            }
            self.outstanding -= 1;
        }
        cx.calls.free(page);
    }

    /// The observation ends: what is left of the cohort is unresolved.
    pub fn end(&mut self, cx: &mut Cx<'_>) {
        let now = cx.now();
        let keys: Vec<CallKey> = cx.calls.keys().collect();
        for key in keys {
            let frame = &cx.calls[key];
            if frame.component != users() || !frame.is(flag::COHORT) {
                continue;
            }
            let ledger = &mut self.ledgers[frame.place as usize];
            if frame.phase == Phase::Present {
                let failure = Failure { cause: Cause::Unresolved, at: users(), waiting_for: None };
                ledger.failed(failure, now);
                ledger.attempts += 1;
            } else {
                ledger.page_load_failed += 1;
            }
        }
    }
}

/// The failure of an answer that was to be fresh and is not.
#[cold]
fn not_fresh(plan: &UserOperation) -> Option<Failure> {
    let failure = Failure { cause: Cause::Error, at: users(), waiting_for: None };
    plan.fresh.then_some(failure)
}
