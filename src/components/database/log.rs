//! The log of committed writes: positions, and which version of an item a node sees that has come
//! to a position. Pure: it knows no time but the stamps it is given, no network, no calls.

use std::collections::VecDeque;

use crate::engine::pages::Pages;
use crate::units::Instant;

/// One committed write.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// The item, counted through all data sets.
    pub dense: u64,
    /// The version that the write made.
    pub version: u32,
    /// When it was committed.
    pub committed: Instant,
    /// Whether its writer was told that it is safe.
    pub acknowledged: bool,
    /// The item's write before this one.
    before: Last,
}

/// The last write of an item: 0 for none.
#[derive(Clone, Copy, Debug, Default)]
struct Last {
    position: u64,
    version: u32,
}

/// The log. Positions count from 1; position 0 is before the first write.
pub struct Log {
    entries: VecDeque<Entry>,
    /// Position of the first entry kept.
    first: u64,
    last: Pages<Last>,
}

impl Log {
    /// An empty log for items numbered below `items`.
    pub fn new(items: u64) -> Self {
        Self { entries: VecDeque::with_capacity(256), first: 1, last: Pages::new(items) }
    }

    /// Position of the last write.
    pub fn end(&self) -> u64 {
        self.first + self.entries.len() as u64 - 1
    }

    /// Adds a write; its position.
    pub fn append(&mut self, dense: u64, version: u32, committed: Instant) -> u64 {
        let position = self.end() + 1;
        let before = std::mem::replace(self.last.get_mut(dense), Last { position, version });
        self.entries.push_back(Entry { dense, version, committed, acknowledged: false, before });
        position
    }

    /// The write at a position that is still kept.
    pub fn entry(&self, position: u64) -> Option<&Entry> {
        self.entries.get(position.checked_sub(self.first)? as usize)
    }

    /// The writer of a position has been told that it is safe.
    pub fn acknowledge(&mut self, position: u64) {
        if let Some(index) = position.checked_sub(self.first)
            && let Some(entry) = self.entries.get_mut(index as usize)
        {
            entry.acknowledged = true;
        }
    }

    /// The version of an item that a node sees which has come to a position.
    pub fn version_at(&self, dense: u64, position: u64) -> u32 {
        let mut last = self.last.get(dense);
        while last.position > position {
            // What is no longer kept has reached every node that still follows.
            let Some(entry) = self.entry(last.position) else { break };
            last = entry.before;
        }
        last.version
    }

    /// Forgets what lies behind a position: the writes dropped, the newest first.
    pub fn cut(&mut self, position: u64) -> Vec<Entry> {
        let mut dropped = Vec::new();
        while self.end() > position
            && let Some(entry) = self.entries.pop_back()
        {
            *self.last.get_mut(entry.dense) = entry.before;
            dropped.push(entry);
        }
        dropped
    }

    /// Everyone has come to a position: what lies before it is not kept any longer.
    pub fn trim(&mut self, position: u64) {
        while self.first <= position && self.entries.pop_front().is_some() {
            self.first += 1;
        }
    }

    /// Number of writes kept.
    pub fn len(&self) -> usize {
        self.entries.len()
    }
}

impl Entry {
    /// The version that the write replaced.
    pub fn version_before(&self) -> u32 {
        self.before.version
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::stream::{DrawKey, salt};

    /// The obvious model: all writes in a list, replayed for every question.
    #[derive(Default)]
    struct Replay {
        writes: Vec<(u64, u32)>,
    }

    impl Replay {
        fn version_at(&self, dense: u64, position: u64) -> u32 {
            let seen = self.writes.iter().take(position as usize);
            seen.filter(|write| write.0 == dense).map(|write| write.1).next_back().unwrap_or(0)
        }
    }

    #[test]
    fn a_node_sees_what_a_replay_of_the_log_up_to_its_position_shows() {
        let mut log = Log::new(5);
        let mut replay = Replay::default();
        let mut made = [0; 5];
        let mut trimmed = 0;
        let mut draw = DrawKey(salt("log test")).draw();
        for turn in 0..20_000 {
            let dense = draw.below(5);
            match draw.below(100) {
                0..60 => {
                    made[dense as usize] += 1;
                    let version = made[dense as usize];
                    replay.writes.push((dense, version));
                    let position = log.append(dense, version, Instant(turn));
                    assert_eq!(position, replay.writes.len() as u64);
                }
                60..70 => {
                    let keep = log.end() - draw.below((log.end() - trimmed).min(6) + 1);
                    let expected: Vec<_> = replay.writes.drain(keep as usize..).rev().collect();
                    let cut = log.cut(keep);
                    let got: Vec<_> = cut.iter().map(|e| (e.dense, e.version)).collect();
                    assert_eq!(got, expected);
                    for entry in &cut {
                        assert!(entry.version_before() < entry.version);
                    }
                }
                70..75 => {
                    trimmed = (trimmed + draw.below(log.end() - trimmed + 1)).min(log.end());
                    log.trim(trimmed);
                }
                _ => {
                    let position = trimmed + draw.below(log.end() - trimmed + 1);
                    let seen = log.version_at(dense, position);
                    assert_eq!(seen, replay.version_at(dense, position), "at {position}");
                }
            }
            assert_eq!(log.end(), replay.writes.len() as u64);
            assert!(log.len() as u64 == log.end() - trimmed);
        }
    }
}
