//! What happened to each request, one note after the other: for comparing runs request by request.
//!
//! Nothing is noted unless asked for, and nothing that is noted changes a run. The record knows
//! requests by the keys of their draws, which are the same in every run that meets the request.

use super::outcome::Failure;
use super::topology::{ComponentId, DataId, LinkId, OperationId};
use crate::engine::stream::DrawKey;
use crate::units::{Duration, Instant};

/// One thing that happened to one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Note {
    /// A user sent it.
    Sent {
        /// The request.
        request: DrawKey,
        /// Its intended arrival.
        at: Instant,
        /// The user.
        user: u32,
        /// What the user wants.
        operation: OperationId,
    },
    /// An attempt of a call was put onto the network.
    Called {
        /// The request.
        request: DrawKey,
        /// Key of the attempt's draws.
        draw: DrawKey,
        /// The link.
        link: LinkId,
        /// The component chosen.
        component: ComponentId,
        /// Its instance.
        instance: u16,
        /// When.
        at: Instant,
        /// The data set, if the call is about one.
        data: Option<DataId>,
        /// Popularity rank of the item, from 0.
        item: u64,
    },
    /// It asked for core time.
    Worked {
        /// The request.
        request: DrawKey,
        /// Key of the draws of the call that works.
        draw: DrawKey,
        /// Where.
        component: ComponentId,
        /// At which instance.
        instance: u16,
        /// When.
        at: Instant,
        /// How much, at speed 1.
        demand: Duration,
    },
    /// It was resolved for its user.
    Ended {
        /// The request.
        request: DrawKey,
        /// When.
        at: Instant,
        /// How it failed, if it did.
        failure: Option<Failure>,
    },
}

/// All notes of a run in the order of happening, or that nobody asked for any.
#[derive(Debug, Default)]
pub struct Record {
    on: bool,
    notes: Vec<Note>,
}

impl Record {
    /// A record that takes notes.
    pub fn on() -> Self {
        Self { on: true, notes: Vec::new() }
    }

    /// Whether somebody asked for notes.
    #[inline]
    pub fn is_on(&self) -> bool {
        self.on
    }

    /// Takes a note if somebody asked for notes.
    #[cold]
    pub fn note(&mut self, note: Note) {
        if self.on {
            self.notes.push(note);
        }
    }

    /// The notes.
    pub fn into_notes(self) -> Vec<Note> {
        self.notes
    }
}
