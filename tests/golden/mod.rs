//! The summary of a small run, by its shape: which keys there are, in which order, and of what.
//!
//! Words, flags and counts are compared exactly. Estimates are not: they may stand anywhere in
//! their intervals, and what must be inside is asserted where it is known from outside.

mod summary;
