//! Arenas under generation-checked keys, for what comes and goes, and typed ids for what the plan
//! fixes.
//!
//! An arena never shrinks and never moves a live value; a key whose value has been freed is stale
//! and says so with one compare, so nobody keeps a set of cancelled things.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::ops::{Index, IndexMut};

/// Index of something the plan fixes (component, link, machine, ...): small, `Copy`, typed.
pub struct Id<T>(u16, PhantomData<fn() -> T>);

impl<T> Id<T> {
    /// The id of the `index`-th thing. Panics beyond 65,535 things of one type.
    pub fn new(index: usize) -> Self {
        Self(u16::try_from(index).expect("at most 65,535 things of one type"), PhantomData)
    }

    /// The position in the plan's table.
    #[inline]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

impl<T> Clone for Id<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Id<T> {}
impl<T> Default for Id<T> {
    fn default() -> Self {
        Self(0, PhantomData)
    }
}
impl<T> PartialEq for Id<T> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}
impl<T> Eq for Id<T> {}
impl<T> PartialOrd for Id<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<T> Ord for Id<T> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.cmp(&other.0)
    }
}
impl<T> Hash for Id<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}
impl<T> fmt::Debug for Id<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

/// No slot: the end of a list, the absence of a parent.
pub const NONE: u32 = u32::MAX;

/// Key of a live value: slot index and the generation it was given out with.
pub struct Key<T> {
    /// Slot of the value; also its position for the intrusive lists.
    pub index: u32,
    generation: u32,
    of: PhantomData<fn() -> T>,
}

impl<T> Key<T> {
    /// The key of nothing: never live.
    pub const NONE: Self = Self { index: NONE, generation: 0, of: PhantomData };

    /// Whether this is the key of nothing.
    #[inline]
    pub const fn is_none(self) -> bool {
        self.index == NONE
    }

    /// The key as one number.
    #[inline(always)]
    pub const fn to_bits(self) -> u64 {
        self.index as u64 | (self.generation as u64) << 32
    }

    /// The key that a number stands for.
    #[inline(always)]
    pub const fn from_bits(bits: u64) -> Self {
        Self { index: bits as u32, generation: (bits >> 32) as u32, of: PhantomData }
    }
}

impl<T> Clone for Key<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for Key<T> {}
impl<T> PartialEq for Key<T> {
    fn eq(&self, other: &Self) -> bool {
        self.index == other.index && self.generation == other.generation
    }
}
impl<T> Eq for Key<T> {}
impl<T> Default for Key<T> {
    fn default() -> Self {
        Self::NONE
    }
}
impl<T> fmt::Debug for Key<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}v{}", self.index, self.generation)
    }
}

struct Slot<T> {
    /// Odd while the slot is live, even while it is free.
    generation: u32,
    next_free: u32,
    value: T,
}

/// Values of one type in reusable slots.
pub struct Arena<T> {
    slots: Vec<Slot<T>>,
    free: u32,
}

impl<T: Default> Default for Arena<T> {
    fn default() -> Self {
        Self::with_capacity(0)
    }
}

impl<T: Default> Arena<T> {
    /// An empty arena with room for `capacity` values before it grows.
    pub fn with_capacity(capacity: usize) -> Self {
        Self { slots: Vec::with_capacity(capacity), free: NONE }
    }

    /// Takes a slot. Its value is what the last holder left there: the caller writes each field.
    #[inline(always)]
    pub fn allocate(&mut self) -> Key<T> {
        if self.free == NONE {
            return self.grow();
        }
        let index = self.free;
        let slot = &mut self.slots[index as usize];
        self.free = slot.next_free;
        slot.generation = slot.generation.wrapping_add(1);
        Key { index, generation: slot.generation, of: PhantomData }
    }

    #[cold]
    fn grow(&mut self) -> Key<T> {
        let index = self.slots.len() as u32;
        assert!(index < NONE, "an arena holds fewer than 2^32 - 1 values");
        self.slots.push(Slot { generation: 1, next_free: NONE, value: T::default() });
        Key { index, generation: 1, of: PhantomData }
    }

    /// Gives a slot back; its keys are stale from now on.
    #[inline(always)]
    pub fn free(&mut self, key: Key<T>) {
        let slot = &mut self.slots[key.index as usize];
        assert!(slot.generation == key.generation, "a value is freed once");
        slot.generation = slot.generation.wrapping_add(1);
        slot.next_free = self.free;
        self.free = key.index;
    }

    /// Whether the key's value is still there.
    #[inline(always)]
    pub fn is_live(&self, key: Key<T>) -> bool {
        self.slots.get(key.index as usize).is_some_and(|slot| slot.generation == key.generation)
    }

    /// The value, if it is still there.
    #[inline]
    pub fn get(&self, key: Key<T>) -> Option<&T> {
        let slot = self.slots.get(key.index as usize)?;
        (slot.generation == key.generation).then_some(&slot.value)
    }

    /// The value to change, if it is still there.
    #[inline(always)]
    pub fn get_mut(&mut self, key: Key<T>) -> Option<&mut T> {
        let slot = self.slots.get_mut(key.index as usize)?;
        (slot.generation == key.generation).then_some(&mut slot.value)
    }

    /// The key of the live value in slot `index`.
    #[inline]
    pub fn key_at(&self, index: u32) -> Key<T> {
        let generation = self.slots[index as usize].generation;
        debug_assert!(generation & 1 == 1, "slot {index} is live");
        Key { index, generation, of: PhantomData }
    }

    /// Keys of all live values in slot order.
    pub fn keys(&self) -> impl Iterator<Item = Key<T>> + '_ {
        self.slots.iter().enumerate().filter(|(_, slot)| slot.generation & 1 == 1).map(
            |(index, slot)| Key {
                index: index as u32,
                generation: slot.generation,
                of: PhantomData,
            },
        )
    }
}

impl<T> Index<Key<T>> for Arena<T> {
    type Output = T;
    #[inline]
    fn index(&self, key: Key<T>) -> &T {
        let slot = &self.slots[key.index as usize];
        debug_assert!(slot.generation == key.generation, "key {key:?} is live");
        &slot.value
    }
}
impl<T> IndexMut<Key<T>> for Arena<T> {
    #[inline]
    fn index_mut(&mut self, key: Key<T>) -> &mut T {
        let slot = &mut self.slots[key.index as usize];
        debug_assert!(slot.generation == key.generation, "key {key:?} is live");
        &mut slot.value
    }
}

/// By slot index, for the links of intrusive lists, whose members are live by construction.
impl<T> Index<u32> for Arena<T> {
    type Output = T;
    #[inline]
    fn index(&self, index: u32) -> &T {
        &self.slots[index as usize].value
    }
}
impl<T> IndexMut<u32> for Arena<T> {
    #[inline]
    fn index_mut(&mut self, index: u32) -> &mut T {
        &mut self.slots[index as usize].value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_freed_key_is_stale_and_its_slot_is_used_again() {
        let mut arena: Arena<u64> = Arena::default();
        let first = arena.allocate();
        arena[first] = 7;
        arena.free(first);
        assert_eq!(arena.get(first), None);
        let second = arena.allocate();
        assert_eq!(second.index, first.index);
        assert_ne!(second, first);
        assert_eq!(arena.keys().collect::<Vec<_>>(), vec![second]);
        assert!(!arena.is_live(Key::NONE));
    }
}
