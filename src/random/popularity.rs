//! Popularity: which item of a set a request asks for, as a rank from 0, the most popular first.
//!
//! Uniform and Zipf. Zipf up to four million items draws from an alias table in two memory
//! accesses of one cache line; larger sets draw by rejection, without memory. It does not know
//! what the items are, nor where they live.

use std::sync::Arc;

use rand::Rng;
use rand_distr::{Distribution, Zipf as ZipfRejection};

use crate::language::shape::Json;
use crate::units::{UnitError, UnitErrorKind};
use crate::{choice, scalar};

/// The largest set for which an alias table is built: 8 bytes an item, 32 MB.
const ALIAS_ITEMS_MAX: u64 = 4_000_000;
/// Beyond this all but one request in a million goes to the first item.
const EXPONENT_MAX: f64 = 20.0;

/// The popularity of the items of one set, shared by all replications.
#[derive(Clone, Debug)]
pub struct Popularity {
    items: u64,
    law: Law,
}

#[derive(Clone, Debug)]
enum Law {
    Uniform,
    Alias { zipf: Zipf, table: Arc<AliasTable> },
    Rejection { zipf: Zipf, draw: ZipfRejection<f64> },
}

impl Popularity {
    /// Every item is asked for equally often; there is at least one item.
    pub fn uniform(items: u64) -> Self {
        assert!(items > 0, "a set has at least one item");
        Self { items, law: Law::Uniform }
    }

    /// Item k (from 1) is asked for in proportion to k^-exponent; there is at least one item.
    pub fn zipf(items: u64, exponent: f64) -> Result<Self, String> {
        assert!(items > 0, "a set has at least one item");
        if !(0.0..=EXPONENT_MAX).contains(&exponent) {
            return Err(format!("the exponent of a zipf lies in 0..20, not {exponent}"));
        }
        if exponent == 0.0 {
            return Ok(Self::uniform(items));
        }
        let zipf = Zipf { exponent, total: generalised_harmonic(items, exponent) };
        let law = if items <= ALIAS_ITEMS_MAX {
            let probabilities = (0..items as u32).map(|rank| zipf.probability(rank.into()));
            Law::Alias { zipf, table: Arc::new(AliasTable::new(probabilities)) }
        } else {
            let draw = ZipfRejection::new(items as f64, exponent).expect("checked above");
            Law::Rejection { zipf, draw }
        };
        Ok(Self { items, law })
    }

    /// Number of items.
    pub const fn items(&self) -> u64 {
        self.items
    }

    /// The rank of the item asked for, from 0.
    #[inline]
    pub fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> u64 {
        match &self.law {
            Law::Uniform => ((rng.next_u64() as u128 * self.items as u128) >> 64) as u64,
            Law::Alias { table, .. } => table.sample(rng),
            Law::Rejection { draw, .. } => draw.sample(rng) as u64 - 1,
        }
    }

    /// Probability that a request asks for the item of this rank; 0 beyond the last.
    pub fn probability(&self, rank: u64) -> f64 {
        if rank >= self.items {
            return 0.0;
        }
        match &self.law {
            Law::Uniform => 1.0 / self.items as f64,
            Law::Alias { zipf, .. } | Law::Rejection { zipf, .. } => zipf.probability(rank),
        }
    }

    /// Share of the requests that ask for one of the `n` most popular items.
    pub fn share_of_top(&self, n: u64) -> f64 {
        if n >= self.items {
            return 1.0;
        }
        match &self.law {
            Law::Uniform => n as f64 / self.items as f64,
            Law::Alias { zipf, .. } | Law::Rejection { zipf, .. } => {
                generalised_harmonic(n, zipf.exponent) / zipf.total
            }
        }
    }
}

choice! {
    /// How often each item of a set is asked for.
    #[derive(Copy, PartialEq)]
    pub enum PopularityConfig {
        /// All items alike.
        uniform: Uniform,
        /// The k-th most popular item in proportion to 1 / k to this power.
        zipf: Zipf(Exponent),
    }
    unbuilt {
        weights: "a list of weights, one per item",
        hot: "a share of the requests on a share of the items",
        own: "the asking user's own items",
        trace: "keys from a file",
    }
}

impl PopularityConfig {
    /// The popularity of a set of so many items, at least one; builds the table of a zipf.
    pub fn plan(&self, items: u64) -> Popularity {
        match self {
            PopularityConfig::Uniform => Popularity::uniform(items),
            PopularityConfig::Zipf(exponent) => {
                Popularity::zipf(items, exponent.0).expect("the exponent was checked when read")
            }
        }
    }
}

/// The exponent of a zipf: 0 is uniform, 1 gives the k-th item a share of 1 / k.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Exponent(pub f64);

impl Exponent {
    /// Reads a plain decimal.
    pub fn parse(text: &str) -> Result<Exponent, UnitError> {
        let decimal = text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        let help = "an exponent is a plain decimal, like 0.99";
        let Some(value) = text.parse::<f64>().ok().filter(|_| decimal) else {
            let message = format!("`{text}` is not an exponent");
            return Err(UnitError::new(UnitErrorKind::Malformed, message, help));
        };
        if value > EXPONENT_MAX {
            let message = format!("the exponent of a zipf is at most {EXPONENT_MAX}");
            return Err(UnitError::new(UnitErrorKind::OutOfRange, message, help));
        }
        Ok(Exponent(value))
    }
}

scalar!(Exponent, "an exponent", Json::Number, ["0.99", "1.2"]);

/// A normalised Zipf law.
#[derive(Clone, Copy, Debug)]
struct Zipf {
    exponent: f64,
    /// Sum of k^-exponent over all items.
    total: f64,
}

impl Zipf {
    fn probability(&self, rank: u64) -> f64 {
        ((rank + 1) as f64).powf(-self.exponent) / self.total
    }
}

/// Sum of k^-s for k = 1..=n: term by term at first, then by the Euler-Maclaurin formula, whose
/// error beyond a thousand terms is below the rounding of a double.
fn generalised_harmonic(n: u64, s: f64) -> f64 {
    const EXACT_TERMS: u64 = 1000;
    let exact = n.min(EXACT_TERMS);
    // The smallest terms first, so that none is lost in the sum.
    let head: f64 = (1..=exact).rev().map(|k| (k as f64).powf(-s)).sum();
    if n <= EXACT_TERMS {
        return head;
    }
    let (a, b) = (EXACT_TERMS as f64, n as f64);
    let log_ratio = (b / a).ln();
    let x = (1.0 - s) * log_ratio;
    // (b^(1-s) - a^(1-s)) / (1-s), which is ln(b/a) at s = 1 and must not cancel near it.
    let integral = a.powf(1.0 - s) * log_ratio * if x.abs() < 1e-12 { 1.0 } else { x.exp_m1() / x };
    let ends = 0.5 * (b.powf(-s) - a.powf(-s));
    let slope = |x: f64| -s * x.powf(-s - 1.0) / 12.0;
    let third = |x: f64| s * (s + 1.0) * (s + 2.0) * x.powf(-s - 3.0) / 720.0;
    head + integral + ends + (slope(b) - slope(a)) + (third(b) - third(a))
}

/// One cell of an alias table: its own item up to the threshold, another beyond.
#[derive(Clone, Copy, Debug)]
struct Cell {
    /// Share of the cell that its own item keeps, in units of 2^-32.
    threshold: u32,
    alias: u32,
}

/// Walker's alias table in Vose's form: any discrete law in one draw and one cache line.
#[derive(Debug)]
pub struct AliasTable {
    cells: Box<[Cell]>,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::stream::DrawKey;
    use crate::language::{Decode, Diagnostics, FileId, node};

    /// Shares of the head against exact probabilities, and of the tail as a whole.
    fn check(popularity: &Popularity) {
        let n = 400_000_u64;
        let key = DrawKey::root(1, 0);
        let ranks: Vec<u64> = (0..n).map(|k| popularity.sample(&mut key.child(k).draw())).collect();
        assert!(ranks.iter().all(|rank| *rank < popularity.items()));
        let test = |what: String, hits: usize, p: f64| {
            let (share, error) = (hits as f64 / n as f64, (p * (1.0 - p) / n as f64).sqrt());
            assert!((share - p).abs() <= 4.5 * error, "{what}: {share}, not {p}");
        };
        for rank in [0, 1, 2, 5, 50] {
            let hits = ranks.iter().filter(|r| **r == rank).count();
            test(format!("rank {rank}"), hits, popularity.probability(rank));
        }
        for top in [10, 100, popularity.items() / 100, popularity.items() / 2] {
            let hits = ranks.iter().filter(|r| **r < top).count();
            test(format!("top {top}"), hits, popularity.share_of_top(top));
        }
    }

    #[test]
    fn draws_follow_the_laws() {
        check(&Popularity::uniform(1000));
        check(&Popularity::zipf(1000, 0.99).unwrap());
        check(&Popularity::zipf(100_000, 1.0).unwrap());
        check(&Popularity::zipf(20_000, 1.5).unwrap());
    }

    #[test]
    fn large_sets_draw_by_rejection_from_the_same_law() {
        let large = Popularity::zipf(5_000_000, 0.99).unwrap();
        assert!(matches!(large.law, Law::Rejection { .. }));
        check(&large);
        check(&Popularity::zipf(5_000_000, 1.0).unwrap());
    }

    #[test]
    fn normalisation_is_exact() {
        for s in [0.5, 0.99, 1.0, 1.000_001, 1.2, 2.0] {
            for n in [1, 999, 1000, 1001, 1_000_000] {
                let sum: f64 = (1..=n).rev().map(|k| (k as f64).powf(-s)).sum();
                let fast = generalised_harmonic(n, s);
                assert!((fast / sum - 1.0).abs() < 1e-12, "n {n}, s {s}: {fast} is not {sum}");
            }
        }
        let zipf = Popularity::zipf(1_000_000, 0.99).unwrap();
        let sum: f64 = (0..1_000_000).rev().map(|rank| zipf.probability(rank)).sum();
        assert!((sum - 1.0).abs() < 1e-12);
        assert_eq!(zipf.share_of_top(1_000_000), 1.0);
        assert_eq!(zipf.probability(1_000_000), 0.0);
    }

    /// The probability of each item as the table has it, thresholds and aliases summed up.
    #[test]
    fn the_alias_table_holds_the_law_to_a_billionth() {
        let zipf = Popularity::zipf(100_000, 0.99).unwrap();
        let Law::Alias { table, .. } = &zipf.law else { panic!("small sets have a table") };
        let mut mass = vec![0.0; 100_000];
        for (index, cell) in table.cells.iter().enumerate() {
            let own = f64::from(cell.threshold) / 2_f64.powi(32);
            mass[index] += own / 1e5;
            mass[cell.alias as usize] += (1.0 - own) / 1e5;
        }
        for (rank, mass) in mass.iter().enumerate() {
            let exact = zipf.probability(rank as u64);
            assert!((mass - exact).abs() < 1e-9 * exact.max(1e-5), "rank {rank}: {mass}, {exact}");
        }
    }

    #[test]
    fn every_form_of_the_reference_is_read() {
        let decode = |text: &str| {
            let mut out = Diagnostics::new();
            let node = node::parse(FileId(0), text, &mut out).expect("valid YAML");
            let config = PopularityConfig::decode(&node, &mut out);
            config.ok_or_else(|| out.iter().next().map_or("", |d| d.code))
        };
        assert_eq!(decode("uniform").unwrap().plan(10).probability(3), 0.1);
        let zipf = decode("{ zipf: 0.99 }").unwrap().plan(10);
        assert_eq!(zipf.probability(3), Popularity::zipf(10, 0.99).unwrap().probability(3));
        assert_eq!(decode("{ zipf: 99 }"), Err("E0203"));
        assert_eq!(decode("{ zipf: -1 }"), Err("E0204"));
        assert_eq!(decode("{ trace: keys.csv }"), Err("E0110"));
    }

    #[test]
    fn one_item_and_flat_laws_work() {
        let one = Popularity::zipf(1, 0.99).unwrap();
        assert_eq!(one.sample(&mut DrawKey(1).draw()), 0);
        assert_eq!(one.probability(0), 1.0);
        assert_eq!(Popularity::zipf(10, 0.0).unwrap().probability(9), 0.1);
        assert!(Popularity::zipf(10, -1.0).is_err() && Popularity::zipf(10, f64::NAN).is_err());
    }
}
