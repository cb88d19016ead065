//! Running a handler: one loop over the steps of one call until it has to wait for something.

use super::plan::{Key, Step};
use super::service::Service;
use crate::components::call::{Access, Call, CallKey, flag};
use crate::components::caller::Ask;
use crate::components::context::Cx;
use crate::components::outcome::{Cause, Reply};
use crate::engine::stream::salt;
use crate::units::Duration;

/// Further items of one request and data set are drawn with this salt plus their number.
const FURTHER: u64 = salt("further item");

impl Service<'_> {
    /// Runs a call's program from the step `pc` until it waits or ends.
    pub(super) fn run(&mut self, cx: &mut Cx<'_>, call: CallKey, mut pc: u16) {
        let plan = self.plan;
        loop {
            let frame = &mut cx.calls[call];
            frame.pc = pc;
            match &plan.steps[pc as usize] {
                Step::Work { law, salt } => {
                    if plan.asynchronous && !frame.is(flag::SLOT) && !self.acquire(cx, call) {
                        return;
                    }
                    let frame = &mut cx.calls[call];
                    if plan.queue.preemptive && frame.is(flag::PREEMPTED) {
                        frame.clear(flag::PREEMPTED);
                        let left = Duration(frame.job);
                        return cx.resume(call, left);
                    }
                    let demand = law.sample(&mut frame.step_draw(*salt).draw());
                    if demand > 0 {
                        return cx.work(call, Duration(demand));
                    }
                    pc += 1;
                }
                Step::Wait { law, salt } => {
                    self.yield_worker(cx, call);
                    if let Some(lane) = self.lanes[pc as usize] {
                        return cx.wake_in(call, lane);
                    }
                    let delay = law.sample(&mut cx.calls[call].step_draw(*salt).draw());
                    return cx.wake(call, Duration(delay));
                }
                Step::Call { .. } => {
                    self.yield_worker(cx, call);
                    let ask = self.ask(cx, call, pc);
                    return cx.call(call, ask);
                }
                Step::Parallel { branches, wanted, .. } => {
                    self.yield_worker(cx, call);
                    return self.fork(cx, call, branches, *wanted);
                }
                Step::End => return self.end(cx, call, Reply::OK),
                Step::Session => match self.look_for_session(cx, call) {
                    Some(next) => pc = next,
                    None => return,
                },
                Step::SessionBegins => pc = self.begin_session(cx, call),
                Step::Fail { chance, salt } => {
                    if frame.step_draw(*salt).draw().chance(*chance) {
                        let at = plan.id;
                        return self.end(cx, call, Reply::failed(Cause::Error, at));
                    }
                    pc += 1;
                }
                Step::Choose { bounds, ways, salt } => {
                    let u = frame.step_draw(*salt).draw().unit();
                    // The ways are few, and the first ones are often the likely ones.
                    let way = bounds.iter().position(|&bound| u < bound);
                    pc = ways[way.unwrap_or(ways.len() - 1)];
                }
                step => pc = branch_off(frame, step),
            }
        }
    }

    #[inline(always)]
    fn yield_worker(&mut self, cx: &mut Cx<'_>, call: CallKey) {
        if self.plan.asynchronous {
            self.release(cx, call);
        }
    }

    /// What a `Call` step asks for.
    #[inline(always)]
    fn ask(&self, cx: &Cx<'_>, call: CallKey, pc: u16) -> Ask {
        let Step::Call { link, operation, access, data, statements, salt, key, optional } =
            &self.plan.steps[pc as usize]
        else {
            unreachable!("only call steps ask")
        };
        let frame = &cx.calls[call];
        let item = data.map_or(0, |data| {
            let plan = &cx.topology.data[data.index()];
            let of_request = || frame.request.child(plan.salt);
            let draw = match *key {
                Key::Request => of_request(),
                Key::Turn(depth) => match frame.turn(depth) {
                    0 => of_request(),
                    turn => of_request().child(FURTHER.wrapping_add(u64::from(turn))),
                },
                Key::Fresh { salt } => frame.step_draw(salt),
                Key::Own => return plan.owners.first_of(u64::from(frame.user)),
            };
            plan.item(frame.user, draw)
        });
        Ask {
            link: *link,
            operation: operation.unwrap_or(frame.operation),
            access: *access,
            data: *data,
            item,
            count: *statements,
            version: match access {
                Access::Fill | Access::Update => frame.reply.version,
                _ => 0,
            },
            salt: frame.step_salt(*salt),
            flags: if *optional { flag::OPTIONAL } else { 0 },
        }
    }

    fn fork(&mut self, cx: &mut Cx<'_>, call: CallKey, branches: &[u16], wanted: u16) {
        cx.calls[call].pending = wanted;
        for &pc in branches {
            let branch = cx.branch(call, pc);
            self.ready.push_back(branch);
        }
    }

    /// A branch has ended: its parent goes on when enough have, and fails when too few can.
    pub(super) fn branch_done(&mut self, cx: &mut Cx<'_>, branch: CallKey, reply: Reply) {
        let Some(parent) = cx.end_branch(branch) else { return };
        let frame = &mut cx.calls[parent];
        let Step::Parallel { join, cancel, .. } = &self.plan.steps[frame.pc as usize] else {
            return;
        };
        if reply.is_ok() {
            frame.pending -= 1;
            if frame.pending > 0 {
                return;
            }
            frame.pc = *join;
            cx.detach_branches(parent, *cancel);
            return self.ready.push_back(parent);
        }
        if frame.children.len() < frame.pending as usize {
            self.end(cx, parent, reply);
        }
    }
}

/// The steps that only decide where to go on: the next one.
#[inline(always)]
fn branch_off(frame: &mut Call, step: &Step) -> u16 {
    match step {
        Step::SkipIfHit { to } if frame.reply.hit => *to,
        Step::SkipIfAnswered { to } if !frame.reply.lost => *to,
        Step::Jump { to } => *to,
        Step::Repeat { times, depth, salt, end } => {
            let wanted = times.sample(&mut frame.step_draw(*salt).draw());
            frame.set_turn(*depth, 0);
            // The range of `times` lets no law draw more.
            frame.wanted[*depth as usize] = wanted as u16;
            if wanted == 0 { *end } else { frame.pc + 1 }
        }
        Step::Again { depth, start } => {
            let turn = frame.turn(*depth) + 1;
            if turn < frame.wanted[*depth as usize] {
                frame.set_turn(*depth, turn);
                *start
            } else {
                frame.set_turn(*depth, 0);
                frame.pc + 1
            }
        }
        _ => frame.pc + 1,
    }
}
