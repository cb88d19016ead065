//! Walker's alias table: draws from any discrete law in one draw and two memory accesses of one
//! cache line.
//!
//! It does not know what the probabilities are of.

use rand::Rng;

/// One cell of an alias table: its own item up to the threshold, another beyond.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cell {
    /// Share of the cell that its own item keeps, in units of 2^-32.
    pub(super) threshold: u32,
    pub(super) alias: u32,
}

/// Walker's alias table in Vose's form: any discrete law in one draw and one cache line.
#[derive(Debug)]
pub struct AliasTable {
    pub(super) cells: Box<[Cell]>,
}

impl AliasTable {
    /// From probabilities that sum to 1; at least one and fewer than 2^32.
    pub fn new(probabilities: impl ExactSizeIterator<Item = f64>) -> Self {
        let n = probabilities.len();
        assert!(n > 0 && n < u32::MAX as usize, "an alias table has 1..2^32 cells");
        let mut scaled: Vec<f64> = probabilities.map(|p| p * n as f64).collect();
        let mut cells: Box<[Cell]> =
            (0..n as u32).map(|i| Cell { threshold: u32::MAX, alias: i }).collect();
        let (mut small, mut large): (Vec<u32>, Vec<u32>) =
            (0..n as u32).partition(|i| scaled[*i as usize] < 1.0);
        while let (Some(poor), Some(&rich)) = (small.pop(), large.last()) {
            let own = scaled[poor as usize];
            cells[poor as usize] =
                Cell { threshold: (own * 2_f64.powi(32)).round() as u32, alias: rich };
            let rest = scaled[rich as usize] - (1.0 - own);
            scaled[rich as usize] = rest;
            if rest < 1.0 {
                large.pop();
                small.push(rich);
            }
        }
        // What remains on either list is 1 up to rounding and keeps its whole cell.
        Self { cells }
    }

    /// One draw: an index into the probabilities.
    #[inline]
    pub fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> u64 {
        let product = rng.next_u64() as u128 * self.cells.len() as u128;
        let (index, rest) = ((product >> 64) as usize, (product as u64 >> 32) as u32);
        let cell = self.cells[index];
        if rest < cell.threshold { index as u64 } else { u64::from(cell.alias) }
    }
}
