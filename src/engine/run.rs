//! The loop: take the next event, move the clock, hand it to the model.

use super::schedule::Schedule;

/// What the loop drives.
pub trait Model {
    /// What can happen: a closed, small, `Copy` set.
    type Event: Copy + Default;

    /// The model's event list.
    fn schedule(&mut self) -> &mut Schedule<Self::Event>;

    /// The clock has moved; whether the run is over.
    fn moved(&mut self) -> bool;

    /// Lets one event happen.
    fn handle(&mut self, event: Self::Event);
}

/// Runs a model until it is over or nothing is left to happen.
pub fn run<M: Model>(model: &mut M) {
    loop {
        let event = match model.schedule().pop_ready() {
            Some(event) => event,
            None => {
                let Some(event) = model.schedule().pop_later() else { return };
                if model.moved() {
                    return;
                }
                event
            }
        };
        model.handle(event);
    }
}
