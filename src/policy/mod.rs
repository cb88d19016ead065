//! What may stand on any call: whom it goes to, how long it may take, what happens when it fails.
//!
//! Each policy is what was written, what was planned, and (where it has one) the state of one
//! caller. A policy does not know the components at either end. Autoscaling has the same three
//! types and belongs to a component instead.

pub mod autoscale;
pub mod balance;
pub mod call;
pub mod health;
mod levels;
pub mod network;
pub mod resolver;
pub mod retry;
pub mod ring;
