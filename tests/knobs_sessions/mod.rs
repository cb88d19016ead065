//! Visits of several requests, and the sessions that servers keep for them: every knob has the
//! effect that it names, and what is lost when a server dies is counted exactly.

mod lost;
mod stores;
mod visits;
