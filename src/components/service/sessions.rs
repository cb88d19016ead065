//! Sessions of users: where a service keeps them, what a request does for its own, what is lost.
//!
//! A user has one session with a service at most: the one begun last, as a browser keeps one
//! cookie. In memory it is in one instance; a request that lands on another finds nothing there,
//! and a session begun there takes its place. A session in a store is an item of a data set with
//! one for each user; every request but a login reads it, a login writes it. A token is with the
//! client and cannot be lost; everybody is taken to have one.
//!
//! **Counts**, as `lost_sessions`: with an instance that dies, every session in it that has not
//! ended, whether its user comes back or not; of a cache, those that a request asked for in vain;
//! of a database none. A read that fails loses nothing, but its user logs in again.
//! **Leaves out**: sessions that a database forgets in a failover or a replica has not got yet,
//! users who log out, the size of a token on the wire (requests have no size), memory.

use std::collections::BTreeMap;

use super::config::ServiceConfig;
use super::plan::{Keeper, Key, SessionStore, SessionsPlan, Step};
use super::program::{Builder, NO_PROGRAM};
use super::service::Service;
use crate::components::call::{Access, CallKey};
use crate::components::context::Cx;
use crate::components::names::Planner;
use crate::components::outcome::{Cause, Reply};
use crate::components::topology::{ComponentId, DataId};
use crate::language::Span;
use crate::metrics::{CountSeries, Windows};
use crate::units::{Duration, Instant};

const MEMORY: &str = "memory";
const TOKEN: &str = "jwt";

impl ServiceConfig {
    /// Whether sessions are kept in another component.
    pub(super) fn in_store(&self) -> bool {
        let store = self.sessions.value.as_ref().map(|sessions| &sessions.store.value.0);
        store.is_some_and(|store| store != MEMORY && store != TOKEN)
    }

    /// Where sessions are kept; mistakes go to the planner.
    pub(super) fn plan_sessions(
        &self,
        id: ComponentId,
        planner: &mut Planner<'_>,
    ) -> Option<SessionsPlan> {
        let sessions = self.sessions.value.as_ref()?;
        let store = sessions.store.value.0.as_str();
        let keeper = match store {
            MEMORY => Keeper::Memory,
            TOKEN => Keeper::Token(sessions.verify.value.plan()),
            _ => self.plan_store(id, store, sessions.store.span, planner)?,
        };
        let verifies = matches!(keeper, Keeper::Token(_));
        for (key, span, used) in [
            ("size", sessions.size.span, self.in_store()),
            ("ttl", sessions.ttl.span, !verifies),
            ("verify", sessions.verify.span, verifies),
        ] {
            // A default stands at the place of the block.
            if span != self.sessions.span && !used {
                let message = format!("`{key}` has no effect on sessions in `{store}`");
                planner.out.error("E0504", span, message).help(
                    "`size` is of a session in a store, `ttl` of one in a store or in `memory`, \
                     `verify` of a token, `jwt`",
                );
            }
        }
        let login = planner.login.filter(|_| !verifies);
        if let Some(login) = login {
            let login = &planner.topology.operations[login.index()].name;
            if self.handle.value.get(login).is_none() {
                let message = format!("nothing says what `{login}` takes here");
                planner.out.error("E0508", self.sessions.span, message).help(format!(
                    "a user without a session logs in first: add `handle: {{ {login}: [ … ] }}`"
                ));
            }
        }
        Some(SessionsPlan { keeper, ttl: sessions.ttl.value, login })
    }

    fn plan_store(
        &self,
        id: ComponentId,
        name: &str,
        span: Span,
        planner: &mut Planner<'_>,
    ) -> Option<Keeper> {
        // A name that nobody has was reported when the data set was made.
        let own = format!("{}.sessions", planner.bare_name_of(id));
        let data = planner.topology.data.iter().position(|data| data.name == own)?;
        let data = DataId::new(data);
        let target = planner.home(data)?;
        let kind = planner.topology.components[target.index()].kind;
        if !matches!(kind, "cache" | "database") {
            let message = format!("`{name}`, a {kind}, keeps no sessions");
            planner
                .out
                .error("E0504", span, message)
                .help("name a cache or a database, or write `memory` or `jwt`");
            return None;
        }
        if let Some(over) = planner.asides[target.index()].over {
            let message =
                format!("`{name}` keeps copies of what is in `{}`", planner.name_of(over));
            planner
                .out
                .error("E0504", span, message)
                .help("sessions are in one place: name a cache without `over`, or the database");
            return None;
        }
        let link = planner.link(id, target, &self.caller.calls.value);
        let store = SessionStore { link, data };
        Some(if kind == "cache" { Keeper::Cache(store) } else { Keeper::Database(store) })
    }
}

impl Builder<'_, '_, '_> {
    /// Whether the handler of this name is the login.
    pub(super) fn logs_in(&self, sessions: &SessionsPlan, handler: &str) -> bool {
        let operations = &self.planner.topology.operations;
        sessions.login.is_some_and(|login| operations[login.index()].name == handler)
    }

    /// The end of a login: the session is put where it is kept.
    pub(super) fn begin_session(&mut self, sessions: &SessionsPlan) {
        match sessions.keeper {
            Keeper::Cache(store) => self.ask_store(store, Access::Update),
            Keeper::Database(store) => self.ask_store(store, Access::Write),
            Keeper::Memory | Keeper::Token(_) => {}
        }
        self.steps.push(Step::SessionBegins);
    }

    /// Puts the look for the session before every operation but the login.
    pub(super) fn guard(
        &mut self,
        sessions: &SessionsPlan,
        entries: &mut [u16],
        bodies: &mut Vec<u16>,
    ) {
        bodies.extend_from_slice(entries);
        let guard = self.position();
        self.enter("sessions");
        match &sessions.keeper {
            Keeper::Memory => {}
            Keeper::Cache(store) | Keeper::Database(store) => {
                self.ask_store(*store, Access::Read);
            }
            Keeper::Token(verify) => {
                let salt = self.salt("token verified");
                self.steps.push(Step::Work { law: verify.clone(), salt });
            }
        }
        self.steps.push(Step::Session);
        let login = self.planner.login.map(|login| login.index());
        match sessions.login {
            Some(login) => {
                let began = self.steps.iter().position(|s| matches!(s, Step::SessionBegins));
                bodies[login.index()] = began.map_or(NO_PROGRAM, |began| began as u16 + 1);
                self.steps.push(match entries[login.index()] {
                    // It has no handler, which is reported where all such are.
                    NO_PROGRAM => Step::End,
                    to => Step::Jump { to },
                });
            }
            None => self.begin_session(sessions),
        }
        for (operation, entry) in entries.iter_mut().enumerate() {
            if *entry != NO_PROGRAM && Some(operation) != login {
                *entry = guard;
            }
        }
    }

    fn ask_store(&mut self, store: SessionStore, access: Access) {
        let salt = self.salt(match access {
            Access::Read => "session read",
            _ => "session written",
        });
        self.steps.push(Step::Call {
            link: store.link,
            operation: None,
            access,
            data: Some(store.data),
            statements: 1,
            salt,
            key: Key::Own,
            optional: false,
        });
    }
}

/// A session that a user believes to have.
#[derive(Clone, Copy, Debug)]
struct Held {
    /// In memory, the instance that it is in; none when it has gone with that.
    instance: Option<u16>,
    until: Instant,
}

/// What has become of a user's session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Found {
    /// It is there.
    Live,
    /// The user believes to have one, and it is not there.
    Gone,
    /// There is none, or it has ended.
    None,
}

/// The sessions of a service in one replication.
pub(super) struct Sessions {
    ttl: Duration,
    held: BTreeMap<u32, Held>,
    lost: CountSeries,
}

impl Sessions {
    /// Nobody has one yet.
    pub(super) fn new(plan: &SessionsPlan, cx: &Cx<'_>) -> Self {
        let measure = cx.ledger.measure;
        let windows = Windows::covering(0, measure.end.0, measure.window_ns);
        Self { ttl: plan.ttl, held: BTreeMap::new(), lost: CountSeries::new(windows) }
    }

    /// Those lost, by window.
    pub(super) fn lost(&self) -> Vec<u64> {
        self.lost.sums().to_vec()
    }

    /// An instance has died, with all sessions in it.
    pub(super) fn lose(&mut self, instance: u16, now: Instant) {
        let inside = |held: &&mut Held| held.instance == Some(instance) && held.until > now;
        let mut lost = 0;
        for held in self.held.values_mut().filter(inside) {
            held.instance = None;
            lost += 1;
        }
        self.lost.add(now.0, lost);
    }

    /// A login that came at this time is over; in memory the session is in this instance.
    fn begin(&mut self, user: u32, instance: Option<u16>, arrived: Instant) {
        let until = Instant(arrived.0 + self.ttl.0);
        self.held.insert(user, Held { instance, until });
    }

    /// What has become of the session of a user whose request reached this instance at this time,
    /// and what the store has answered.
    fn find(
        &mut self,
        keeper: &Keeper,
        (user, instance, arrived): (u32, u16, Instant),
        now: Instant,
        answer: Reply,
    ) -> Found {
        let Some(held) = self.held.get_mut(&user) else { return Found::None };
        if held.until <= now {
            self.held.remove(&user);
            return Found::None;
        }
        let there = match keeper {
            Keeper::Memory => held.instance == Some(instance),
            Keeper::Cache(_) | Keeper::Database(_) if answer.failure.is_some() => {
                return Found::Gone;
            }
            Keeper::Cache(_) => answer.hit,
            Keeper::Database(_) | Keeper::Token(_) => true,
        };
        if there {
            // From the arrival, so that it never outlasts the item of a cache that lives as long.
            held.until = held.until.max(Instant(arrived.0 + self.ttl.0));
            return Found::Live;
        }
        self.held.remove(&user);
        if matches!(keeper, Keeper::Cache(_)) {
            self.lost.add(now.0, 1);
        }
        Found::Gone
    }
}

impl Service<'_> {
    /// Looks for the session of a call's user: the step from which the call goes on, if it does.
    #[cold]
    pub(super) fn look_for_session(&mut self, cx: &mut Cx<'_>, call: CallKey) -> Option<u16> {
        let (Some(plan), Some(sessions)) = (&self.plan.sessions, &mut self.sessions) else {
            unreachable!("the step belongs to sessions")
        };
        let now = cx.now();
        let frame = &mut cx.calls[call];
        let who = (frame.user, frame.instance, frame.arrived);
        let found = match plan.keeper {
            Keeper::Token(_) => Found::Live,
            ref keeper => sessions.find(keeper, who, now, frame.reply),
        };
        if found == Found::Gone && plan.login.is_none() {
            let at = self.plan.id;
            self.end(cx, call, Reply::failed(Cause::Error, at));
            return None;
        }
        Some(match found {
            Found::Live => self.plan.bodies[frame.operation.index()],
            Found::Gone | Found::None => frame.pc + 1,
        })
    }

    /// A call has logged its user in and goes on with what it was sent for: the step.
    #[cold]
    pub(super) fn begin_session(&mut self, cx: &Cx<'_>, call: CallKey) -> u16 {
        let (Some(plan), Some(sessions)) = (&self.plan.sessions, &mut self.sessions) else {
            unreachable!("the step belongs to sessions")
        };
        let frame = &cx.calls[call];
        let instance = matches!(plan.keeper, Keeper::Memory).then_some(frame.instance);
        sessions.begin(frame.user, instance, frame.arrived);
        self.plan.bodies[frame.operation.index()]
    }

    /// A call of a frame has failed; whether it was the look for a session, which then finds
    /// none.
    #[cold]
    pub(super) fn looked_in_vain(&self, cx: &mut Cx<'_>, call: CallKey, reply: Reply) -> bool {
        let frame = &mut cx.calls[call];
        let next = self.plan.steps.get(usize::from(frame.pc) + 1);
        if self.sessions.is_none() || !matches!(next, Some(Step::Session)) {
            return false;
        }
        frame.reply = Reply { hit: false, ..reply };
        true
    }
}
