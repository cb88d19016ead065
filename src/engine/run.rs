//! The loop: take the next event, move the clock, hand it to the model.

use super::schedule::Schedule;

/// What the loop drives.
pub trait Model {
    /// What can happen: a closed, small, `Copy` set.
    type Event: Copy + Default;

    /// The model's event list.
    fn schedule(&mut self) -> &mut Schedule<Self::Event>;

    /// Lets one event happen.
    fn handle(&mut self, event: Self::Event);

    /// Whether the run is over, asked after each event.
    fn is_over(&self) -> bool;
}

/// Runs a model until it is over or nothing is left to happen.
pub fn run<M: Model>(model: &mut M) {
    while !model.is_over() {
        let Some(event) = model.schedule().pop() else { return };
        model.handle(event);
    }
}
