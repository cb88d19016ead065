//! Popularity: which item of a set a request asks for, as a rank from 0, the most popular first.
//!
//! Uniform, Zipf, a list of weights, a hot set, and the items that the asking user owns. Zipf up to
//! four million items draws from an alias table; larger sets draw by rejection, without memory.
//! Tables are built once and shared by all replications. It does not know what the items are, nor
//! where they live, and it replays no recorded keys.

use std::sync::Arc;

use rand::Rng;
use rand_distr::{Distribution, Zipf as ZipfRejection};

use super::alias::AliasTable;
use super::owners::Owners;
use crate::language::shape::Json;
use crate::units::{Ratio, UnitError, UnitErrorKind};
use crate::{choice, config, scalar};

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
    Weights { shares: Arc<[f64]>, table: Arc<AliasTable> },
    Hot { items: u64, share: f64 },
    Own { owners: Owners, activity: Arc<Popularity> },
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

    /// Each item is asked for in proportion to its weight; items are numbered from the largest
    /// weight to the smallest. There are fewer than 2^32 weights.
    pub fn weights(weights: &[f64]) -> Result<Self, String> {
        let total: f64 = weights.iter().sum();
        if !(total > 0.0 && total.is_finite() && weights.iter().all(|weight| *weight >= 0.0)) {
            return Err("the weights must not be negative and not all zero".into());
        }
        let mut shares: Vec<f64> = weights.iter().map(|weight| weight / total).collect();
        shares.sort_by(|a, b| b.total_cmp(a));
        let table = Arc::new(AliasTable::new(shares.iter().copied()));
        Ok(Self { items: shares.len() as u64, law: Law::Weights { shares: shares.into(), table } })
    }

    /// A share of the requests goes to a part of the items, all of that part alike, and the rest
    /// to the others, all alike. The hot items come first; their number is rounded.
    pub fn hot(items: u64, share: f64, of: f64) -> Result<Self, String> {
        assert!(items > 0, "a set has at least one item");
        if share < of {
            return Err("the hot items get less than their part of the requests".into());
        }
        let hot = (items as f64 * of).round() as u64;
        if hot == 0 || hot == items && share < 1.0 {
            let whole = if hot == 0 { "none" } else { "all" };
            let percent = Ratio(of);
            return Err(format!("{percent} of {items} items, in whole items, are {whole} of them"));
        }
        Ok(Self { items, law: Law::Hot { items: hot, share } })
    }

    /// Each user asks for items of their own only, all of them alike; `activity` says how often
    /// which user asks. See [`Owners`] for who owns what.
    pub fn own(items: u64, activity: Arc<Popularity>) -> Self {
        assert!(items > 0, "a set has at least one item");
        let owners = Owners { items, users: activity.items() };
        Self { items, law: Law::Own { owners, activity } }
    }

    /// Number of items.
    pub const fn items(&self) -> u64 {
        self.items
    }

    /// The rank of the item asked for, from 0, by whichever user it is.
    #[inline]
    pub fn sample<R: Rng + ?Sized>(&self, rng: &mut R) -> u64 {
        match &self.law {
            Law::Uniform => below(rng, self.items),
            Law::Alias { table, .. } | Law::Weights { table, .. } => table.sample(rng),
            Law::Rejection { draw, .. } => draw.sample(rng) as u64 - 1,
            Law::Hot { items, share } => {
                let hot = ((rng.next_u64() >> 11) as f64) < share * 2_f64.powi(53);
                if hot { below(rng, *items) } else { items + below(rng, self.items - items) }
            }
            Law::Own { activity, .. } => {
                let user = activity.sample(rng);
                self.sample_for(user, rng)
            }
        }
    }

    /// The rank of the item that this user asks for; users are numbered from 0.
    #[inline]
    pub fn sample_for<R: Rng + ?Sized>(&self, user: u64, rng: &mut R) -> u64 {
        match &self.law {
            Law::Own { owners, .. } => {
                let own = owners.items_of(user);
                own.start + below(rng, own.end - own.start)
            }
            _ => self.sample(rng),
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
            Law::Weights { shares, .. } => shares[rank as usize],
            Law::Hot { items, share } if rank < *items => share / *items as f64,
            Law::Hot { items, share } => (1.0 - share) / (self.items - items) as f64,
            Law::Own { owners, activity } => {
                let by = owners.owners_of(rank);
                let own = owners.items_of(by.start);
                let asked = activity.share_of_top(by.end) - activity.share_of_top(by.start);
                asked / (own.end - own.start) as f64
            }
        }
    }

    /// Share of the requests that ask for one of the first `n` items, which are the most popular.
    pub fn share_of_top(&self, n: u64) -> f64 {
        if n >= self.items {
            return 1.0;
        }
        match &self.law {
            Law::Uniform => n as f64 / self.items as f64,
            Law::Alias { zipf, .. } | Law::Rejection { zipf, .. } => {
                generalised_harmonic(n, zipf.exponent) / zipf.total
            }
            Law::Weights { shares, .. } => shares[..n as usize].iter().sum(),
            Law::Hot { items, share } if n <= *items => share * n as f64 / *items as f64,
            Law::Hot { items, share } => {
                share + (1.0 - share) * (n - items) as f64 / (self.items - items) as f64
            }
            Law::Own { .. } if n == 0 => 0.0,
            Law::Own { owners, activity } => {
                // All items of the owners before, and a part of those of the last item's owner.
                let by = owners.owners_of(n - 1);
                let own = owners.items_of(by.start);
                let before = activity.share_of_top(by.start);
                let last = activity.share_of_top(by.end) - before;
                before + last * (n - own.start) as f64 / (own.end - own.start) as f64
            }
        }
    }
}

choice! {
    /// How often each item of a set is asked for.
    #[derive(PartialEq)]
    pub enum PopularityConfig {
        /// All items alike.
        uniform: Uniform,
        /// The k-th most popular item in proportion to 1 / k to this power.
        zipf: Zipf(Exponent),
        /// Each item in proportion to its weight: a list with one weight per item.
        weights: Weights(Vec<f64>),
        /// A share of the requests on a part of the items.
        hot: Hot(HotConfig),
        /// The asking user's items only. User u of n, counted from 0, owns the items from
        /// u x items / n up to (u + 1) x items / n, rounded down; where there are more users than
        /// items, neighbours share one.
        own: Own,
    }
    unbuilt { trace: "keys from a file" }
}

config! {
    /// A share of the requests on a part of the items; the others share the rest. Within each part
    /// all items are asked for alike.
    #[derive(PartialEq)]
    pub struct HotConfig {
        /// Of the requests; at least the part of the items.
        share: Ratio = required,
        /// Of the items, in whole items.
        of: Ratio = required,
    }
}

impl PopularityConfig {
    /// The popularity of a set of so many items, at least one, asked for by users of this
    /// activity; builds the tables. An error says why there is no such law.
    pub fn plan(&self, items: u64, activity: &Arc<Popularity>) -> Result<Popularity, String> {
        match self {
            PopularityConfig::Uniform => Ok(Popularity::uniform(items)),
            PopularityConfig::Zipf(exponent) => Popularity::zipf(items, exponent.0),
            PopularityConfig::Weights(weights) if weights.len() as u64 == items => {
                Popularity::weights(&weights.value)
            }
            PopularityConfig::Weights(weights) => {
                Err(format!("{} weights for {items} items: each has one", weights.len()))
            }
            PopularityConfig::Hot(hot) => Popularity::hot(items, hot.share.value.0, hot.of.value.0),
            PopularityConfig::Own => Ok(Popularity::own(items, activity.clone())),
        }
    }
}

/// A number from 0 to below `n`.
#[inline]
fn below<R: Rng + ?Sized>(rng: &mut R, n: u64) -> u64 {
    ((rng.next_u64() as u128 * n as u128) >> 64) as u64
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
    fn weights_are_sorted_and_followed() {
        let law = Popularity::weights(&[25.0, 5.0, 40.0, 0.0, 30.0]).unwrap();
        let shares: Vec<f64> = (0..6).map(|rank| law.probability(rank)).collect();
        assert_eq!(shares, [0.4, 0.3, 0.25, 0.05, 0.0, 0.0]);
        assert!((law.share_of_top(2) - 0.7).abs() < 1e-12);
        assert_eq!((law.share_of_top(0), law.share_of_top(9)), (0.0, 1.0));
        let many: Vec<f64> = (1..=1000).map(|k| f64::from(k % 17)).collect();
        check(&Popularity::weights(&many).unwrap());
        assert!(Popularity::weights(&[0.0, 0.0]).is_err());
        assert!(Popularity::weights(&[1.0, -1.0]).is_err() && Popularity::weights(&[]).is_err());
    }

    #[test]
    fn a_hot_set_gets_its_share() {
        let law = Popularity::hot(1000, 0.9, 0.1).unwrap();
        assert!((law.probability(99) - 0.009).abs() < 1e-12);
        assert!((law.probability(100) - 0.1 / 900.0).abs() < 1e-12);
        assert!((law.share_of_top(50) - 0.45).abs() < 1e-12);
        assert!((law.share_of_top(550) - 0.95).abs() < 1e-12);
        check(&law);
        check(&Popularity::hot(1000, 0.2, 0.2).unwrap());
        check(&Popularity::hot(1000, 1.0, 0.5).unwrap());
        check(&Popularity::hot(1000, 1.0, 1.0).unwrap());
        let why = |share, of| Popularity::hot(10, share, of).unwrap_err();
        assert_eq!(why(0.9, 0.01), "1% of 10 items, in whole items, are none of them");
        assert_eq!(why(0.99, 0.97), "97% of 10 items, in whole items, are all of them");
        assert!(why(0.1, 0.5).contains("less than their part"));
    }

    /// Users and items that do not divide each other, either way.
    #[test]
    fn own_items_are_asked_for_as_often_as_their_owners_ask() {
        for (items, users) in [(1000, 300), (300, 1000), (1000, 1000), (1007, 503)] {
            for activity in
                [Popularity::uniform(users), Popularity::zipf(users, 0.8).unwrap()].map(Arc::new)
            {
                let law = Popularity::own(items, activity.clone());
                check(&law);
                let sum: f64 = (0..items).map(|rank| law.probability(rank)).sum();
                assert!((sum - 1.0).abs() < 1e-9, "{sum}");
                for n in [0, 1, 7, 100, items - 1, items] {
                    let head: f64 = (0..n).map(|rank| law.probability(rank)).sum();
                    assert!((law.share_of_top(n) - head).abs() < 1e-9, "{n} of {items}");
                }
                // Each item's probability, summed up owner by owner.
                let mut shares = vec![0.0; items as usize];
                for user in 0..users {
                    let own = Owners { items, users }.items_of(user);
                    let each = activity.probability(user) / (own.end - own.start) as f64;
                    own.for_each(|item| shares[item as usize] += each);
                }
                for (rank, share) in shares.iter().enumerate() {
                    assert!((law.probability(rank as u64) - share).abs() < 1e-12, "{rank}");
                }
            }
        }
        let law = Popularity::own(10, Arc::new(Popularity::uniform(5)));
        let draws = (0..100).map(|k| law.sample_for(3, &mut DrawKey(k).draw()));
        assert_eq!(draws.collect::<std::collections::BTreeSet<_>>(), [6, 7].into());
    }

    #[test]
    fn every_form_of_the_reference_is_read() {
        let decode = |text: &str| {
            let mut out = Diagnostics::new();
            let node = node::parse(FileId(0), text, &mut out).expect("valid YAML");
            let config = PopularityConfig::decode(&node, &mut out);
            config.ok_or_else(|| out.iter().next().map_or("", |d| d.code))
        };
        let plan = |text: &str, items| {
            decode(text).unwrap().plan(items, &Arc::new(Popularity::uniform(5)))
        };
        assert_eq!(plan("uniform", 10).unwrap().probability(3), 0.1);
        let weights = plan("{ weights: [40, 25, 5] }", 3).unwrap();
        assert!((weights.probability(2) - 5.0 / 70.0).abs() < 1e-12);
        assert_eq!(
            plan("{ weights: [40, 25, 5] }", 4).unwrap_err(),
            "3 weights for 4 items: each has one"
        );
        let hot = plan("{ hot: { share: 90%, of: 10% } }", 10).unwrap();
        assert_eq!(hot.probability(0), 0.9);
        assert!((plan("own", 10).unwrap().probability(9) - 0.1).abs() < 1e-12);
        let zipf = plan("{ zipf: 0.99 }", 10).unwrap();
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
