//! Doubly linked lists through the values of an arena: O(1) everywhere, no memory of their own.
//!
//! A list knows neither what its members are nor why they wait; a marker type says which of a
//! member's links it uses, so that one value can stand in several lists at once.

use super::arena::{Arena, NONE};

/// One value's place in one list.
#[derive(Clone, Copy, Debug)]
pub struct Link {
    previous: u32,
    next: u32,
}

impl Default for Link {
    fn default() -> Self {
        Self { previous: NONE, next: NONE }
    }
}

/// A value that has a link of kind `L`.
pub trait Linked<L> {
    /// The value's link.
    fn link(&self) -> &Link;
    /// The value's link, to change.
    fn link_mut(&mut self) -> &mut Link;
}

/// First and last member and their number.
#[derive(Clone, Copy, Debug)]
pub struct List {
    head: u32,
    tail: u32,
    len: u32,
}

impl Default for List {
    fn default() -> Self {
        Self { head: NONE, tail: NONE, len: 0 }
    }
}

impl List {
    /// The list of one member, whose link is [`Link::default`].
    #[inline(always)]
    pub fn of_one(index: u32) -> Self {
        Self { head: index, tail: index, len: 1 }
    }

    /// Number of members.
    #[inline]
    pub fn len(&self) -> usize {
        self.len as usize
    }

    /// Whether nobody is in it.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.head == NONE
    }

    /// Slot of the first member.
    #[inline]
    pub fn front(&self) -> Option<u32> {
        (self.head != NONE).then_some(self.head)
    }

    /// Slot of the last member.
    #[inline]
    pub fn back(&self) -> Option<u32> {
        (self.tail != NONE).then_some(self.tail)
    }

    /// Slot of the member after `index`.
    pub fn after<L, T: Default + Linked<L>>(&self, arena: &Arena<T>, index: u32) -> Option<u32> {
        let next = arena[index].link().next;
        (next != NONE).then_some(next)
    }

    /// Adds a member at the end.
    #[inline(always)]
    pub fn push_back<L, T: Default + Linked<L>>(&mut self, arena: &mut Arena<T>, index: u32) {
        *arena[index].link_mut() = Link { previous: self.tail, next: NONE };
        if self.tail == NONE {
            self.head = index;
        } else {
            arena[self.tail].link_mut().next = index;
        }
        self.tail = index;
        self.len += 1;
    }

    /// Adds a member at the front.
    #[inline]
    pub fn push_front<L, T: Default + Linked<L>>(&mut self, arena: &mut Arena<T>, index: u32) {
        *arena[index].link_mut() = Link { previous: NONE, next: self.head };
        if self.head == NONE {
            self.tail = index;
        } else {
            arena[self.head].link_mut().previous = index;
        }
        self.head = index;
        self.len += 1;
    }

    /// Takes a member out, wherever it stands.
    #[inline(always)]
    pub fn remove<L, T: Default + Linked<L>>(&mut self, arena: &mut Arena<T>, index: u32) {
        let Link { previous, next } = *arena[index].link();
        if previous == NONE {
            self.head = next;
        } else {
            arena[previous].link_mut().next = next;
        }
        if next == NONE {
            self.tail = previous;
        } else {
            arena[next].link_mut().previous = previous;
        }
        self.len -= 1;
    }

    /// Takes the first member out.
    #[inline]
    pub fn pop_front<L, T: Default + Linked<L>>(&mut self, arena: &mut Arena<T>) -> Option<u32> {
        let head = self.front()?;
        self.remove::<L, T>(arena, head);
        Some(head)
    }

    /// Takes the last member out.
    #[inline]
    pub fn pop_back<L, T: Default + Linked<L>>(&mut self, arena: &mut Arena<T>) -> Option<u32> {
        let tail = self.back()?;
        self.remove::<L, T>(arena, tail);
        Some(tail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Item {
        link: Link,
    }
    struct Only;
    impl Linked<Only> for Item {
        fn link(&self) -> &Link {
            &self.link
        }
        fn link_mut(&mut self) -> &mut Link {
            &mut self.link
        }
    }

    #[test]
    fn members_leave_from_both_ends_and_from_the_middle() {
        let mut arena: Arena<Item> = Arena::default();
        let keys: Vec<u32> = (0..4).map(|_| arena.allocate().index).collect();
        let mut list = List::default();
        for &key in &keys[..3] {
            list.push_back::<Only, _>(&mut arena, key);
        }
        list.push_front::<Only, _>(&mut arena, keys[3]);
        list.remove::<Only, _>(&mut arena, keys[1]);
        assert_eq!(list.len(), 3);
        assert_eq!(list.pop_back::<Only, _>(&mut arena), Some(keys[2]));
        assert_eq!(list.pop_front::<Only, _>(&mut arena), Some(keys[3]));
        assert_eq!(list.pop_front::<Only, _>(&mut arena), Some(keys[0]));
        assert_eq!(list.pop_front::<Only, _>(&mut arena), None);
        assert!(list.is_empty());
    }
}
