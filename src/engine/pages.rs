//! A long table of small values of which only the pages that were written take memory.
//!
//! Every entry is the default until it is written. It does not know what the positions mean.

/// Entries of one page.
const PAGE: usize = 256;

/// The table.
pub struct Pages<T> {
    pages: Vec<Option<Box<[T; PAGE]>>>,
}

impl<T: Copy + Default> Pages<T> {
    /// A table of so many entries, all of them default.
    pub fn new(entries: u64) -> Self {
        let pages = (entries as usize).div_ceil(PAGE);
        Self { pages: (0..pages).map(|_| None).collect() }
    }

    /// The entry at a position.
    #[inline]
    pub fn get(&self, position: u64) -> T {
        let page = &self.pages[position as usize / PAGE];
        page.as_ref().map_or(T::default(), |page| page[position as usize % PAGE])
    }

    /// The entry at a position, to be written.
    pub fn get_mut(&mut self, position: u64) -> &mut T {
        let page = &mut self.pages[position as usize / PAGE];
        let page = page.get_or_insert_with(|| Box::new([T::default(); PAGE]));
        &mut page[position as usize % PAGE]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_default_until_written_and_stay_apart() {
        let mut pages: Pages<u32> = Pages::new(1001);
        *pages.get_mut(255) = 1;
        *pages.get_mut(256) = 2;
        *pages.get_mut(1000) = 3;
        let seen = [0, 255, 256, 257, 999, 1000].map(|position| pages.get(position));
        assert_eq!(seen, [0, 1, 2, 0, 0, 3]);
        assert!(pages.pages[2].is_none());
    }
}
