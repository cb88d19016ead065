//! Who owns which items of a set, when every user has items of their own.
//!
//! User u of n, counted from 0, owns the items from u x items / n up to (u + 1) x items / n, both
//! rounded down. So with more items than users each has a run of items, as many as another give or
//! take one; with more users than items neighbours share one; and the most active users (the first)
//! own the first items. It does not know how often anybody asks.

use std::ops::Range;

/// A number of items dealt over a number of users, both at least 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owners {
    /// Items.
    pub items: u64,
    /// Users.
    pub users: u64,
}

impl Owners {
    /// The first item of a user: the one that is the user's own where one is meant.
    #[inline]
    pub fn first_of(&self, user: u64) -> u64 {
        (u128::from(user) * u128::from(self.items) / u128::from(self.users)) as u64
    }

    /// The items of a user; never none.
    #[inline]
    pub fn items_of(&self, user: u64) -> Range<u64> {
        let start = self.first_of(user);
        start..self.first_of(user + 1).max(start + 1)
    }

    /// The users who own an item; never none.
    pub fn owners_of(&self, item: u64) -> Range<u64> {
        // The users whose first item lies below `end`.
        let below = |end: u64| {
            (u128::from(end) * u128::from(self.users)).div_ceil(u128::from(self.items)) as u64
        };
        let end = below(item + 1);
        below(item).min(end - 1)..end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_item_has_an_owner_and_every_user_an_item() {
        for (items, users) in [(10, 10), (10, 3), (3, 10), (1, 5), (5, 1), (1000, 999), (7, 1000)] {
            let owners = Owners { items, users };
            let mut found = vec![Vec::new(); items as usize];
            for user in 0..users {
                let own = owners.items_of(user);
                assert!(!own.is_empty() && own.end <= items);
                let fair = items as f64 / users as f64;
                assert!((own.end - own.start) as f64 <= fair.ceil());
                own.for_each(|item| found[item as usize].push(user));
            }
            for (item, users) in found.iter().enumerate() {
                let by = owners.owners_of(item as u64);
                assert_eq!(&by.collect::<Vec<_>>(), users, "{owners:?}, item {item}");
            }
        }
    }

    #[test]
    fn large_sets_do_not_overflow() {
        let owners = Owners { items: u64::MAX / 2, users: 4_000_000_000 };
        assert_eq!(owners.owners_of(owners.first_of(3_999_999_999)), 3_999_999_999..4_000_000_000);
    }
}
