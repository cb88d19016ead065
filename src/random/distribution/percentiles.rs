//! A measured table of percentiles, interpolated linearly on the logarithm of time.

use std::sync::Arc;

use rand::Rng;

use super::family::{Family, unit};
use super::sampler::Sampler;
use super::written::{Mistake, Solved};
use crate::language::{Decode, Diagnostics, Node, Shape, Span, Spanned, Table};
use crate::units::Duration;

/// One stretch between two neighbouring percentiles.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Piece {
    /// Share of the draws at or below the end of the stretch.
    up_to: f64,
    /// Share of the draws inside the stretch.
    share: f64,
    from_ns: f64,
    to_ns: f64,
    /// ln(to / from); 0 where a stretch is a single value.
    log_ratio: f64,
}

impl Piece {
    fn mean(&self) -> f64 {
        if self.log_ratio == 0.0 {
            self.from_ns
        } else {
            (self.to_ns - self.from_ns) / self.log_ratio
        }
    }

    fn second_moment(&self) -> f64 {
        if self.log_ratio == 0.0 {
            self.from_ns.powi(2)
        } else {
            (self.to_ns.powi(2) - self.from_ns.powi(2)) / (2.0 * self.log_ratio)
        }
    }
}

/// Law given by a table of percentiles.
#[derive(Clone, Debug, PartialEq)]
pub struct Percentiles {
    pieces: Arc<[Piece]>,
}

impl Percentiles {
    /// From (percentile in 0..=100, nanoseconds) in any order; 0 and 100 are required.
    pub fn new(table: &[(f64, f64)]) -> Result<Self, String> {
        let mut points = table.to_vec();
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        if points.first().is_none_or(|p| p.0 != 0.0) {
            return Err("p0, the smallest time, is required".into());
        }
        if points.last().is_none_or(|p| p.0 != 100.0) {
            return Err("p100, the largest time, is required".into());
        }
        if points[0].1 <= 0.0 {
            return Err("p0 must be above 0: the table is interpolated on the logarithm".into());
        }
        let mut pieces = Vec::with_capacity(points.len() - 1);
        for pair in points.windows(2) {
            let [(low, from_ns), (high, to_ns)] = [pair[0], pair[1]];
            if low == high {
                return Err(format!("p{low} is given twice"));
            }
            if to_ns < from_ns {
                return Err(format!("p{high} is below p{low}: percentiles cannot fall"));
            }
            pieces.push(Piece {
                up_to: high / 100.0,
                share: (high - low) / 100.0,
                from_ns,
                to_ns,
                log_ratio: (to_ns / from_ns).ln(),
            });
        }
        Ok(Self { pieces: pieces.into() })
    }
}

/// A table as written: `p0`, `p100` and what lies between, `plus` and `at_most`.
#[derive(Clone, Debug, PartialEq)]
pub struct PercentileTable(Table<Duration>);

impl Decode for PercentileTable {
    fn decode(node: &Spanned<Node>, out: &mut Diagnostics) -> Option<Self> {
        let table = Table::decode(node, out)?;
        let mut known = true;
        for (key, _) in table.iter() {
            if !matches!(key.value.as_str(), "plus" | "at_most") && percentile(key).is_none() {
                known = false;
                out.error("E0101", key.span, format!("`{}` is no percentile", key.value)).help(
                    "percentiles are p0 … p100, like p50 or p99.9; beside them plus, at_most",
                );
            }
        }
        known.then_some(Self(table))
    }

    fn shape() -> Shape {
        Shape::Map { key: "PERCENTILE", of: Duration::shape }
    }
}

fn percentile(key: &str) -> Option<f64> {
    let number = key.strip_prefix('p')?;
    let decimal = number.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    number.parse().ok().filter(|p| decimal && (0.0..=100.0).contains(p))
}

impl PercentileTable {
    pub(super) fn solve(&self, span: Span) -> Solved {
        let point = |(key, time): &(Spanned<String>, Spanned<Duration>)| {
            Some((percentile(&key.value)?, time.0 as f64))
        };
        let points: Vec<(f64, f64)> = self.0.iter().filter_map(point).collect();
        let law = Percentiles::new(&points).map_err(|m| Mistake::impossible(span, m))?;
        let mut sampler = Sampler::new(law);
        if let Some(added) = self.0.get("plus") {
            sampler = sampler.plus(added.value);
        }
        if let Some(longest) = self.0.get("at_most") {
            sampler = sampler.at_most(longest.value);
        }
        Ok(sampler)
    }
}

impl Family for Percentiles {
    #[inline]
    fn draw<R: Rng + ?Sized>(&self, rng: &mut R) -> f64 {
        let u = unit(rng);
        let last = self.pieces.len() - 1;
        let index = self.pieces[..last].iter().position(|p| u < p.up_to).unwrap_or(last);
        let piece = &self.pieces[index];
        let position = 1.0 - (piece.up_to - u) / piece.share;
        (piece.from_ns * (position * piece.log_ratio).exp()).clamp(piece.from_ns, piece.to_ns)
    }

    fn mean(&self) -> f64 {
        self.pieces.iter().map(|p| p.share * p.mean()).sum()
    }

    fn variance(&self) -> f64 {
        let second: f64 = self.pieces.iter().map(|p| p.share * p.second_moment()).sum();
        (second - self.mean().powi(2)).max(0.0)
    }

    fn survival(&self, x: f64) -> f64 {
        let below = |p: &Piece| {
            if x >= p.to_ns {
                1.0
            } else if x < p.from_ns {
                0.0
            } else {
                (x / p.from_ns).ln() / p.log_ratio
            }
        };
        (1.0 - self.pieces.iter().map(|p| p.share * below(p)).sum::<f64>()).max(0.0)
    }

    fn length_biased<R: Rng + ?Sized>(&self, rng: &mut R) -> f64 {
        let mut rest = unit(rng) * self.mean();
        let last = self.pieces.len() - 1;
        let chosen = self.pieces[..last].iter().find(|p| {
            rest -= p.share * p.mean();
            rest < 0.0
        });
        // Inside a stretch the density of x is proportional to 1 / x, so weighted by x it is flat.
        let piece = chosen.unwrap_or(&self.pieces[last]);
        piece.from_ns + unit(rng) * (piece.to_ns - piece.from_ns)
    }

    fn max(&self) -> f64 {
        self.pieces[self.pieces.len() - 1].to_ns
    }
}

#[cfg(test)]
mod tests {
    use super::super::family::{check, quantile};
    use super::*;

    #[test]
    fn draws_follow_the_table() {
        let law =
            Percentiles::new(&[(0.0, 1e6), (99.0, 11e6), (50.0, 2e6), (100.0, 80e6)]).unwrap();
        check::family("percentiles", &law);
        for (q, x) in [(0.5, 2e6), (0.99, 11e6)] {
            assert!((quantile(&law, q) / x - 1.0).abs() < 1e-9);
        }
        // Half-way between p0 and p50 on the logarithm.
        assert!((quantile(&law, 0.25) / 2_f64.sqrt() / 1e6 - 1.0).abs() < 1e-9);
    }

    #[test]
    fn a_flat_stretch_is_a_single_value() {
        let law = Percentiles::new(&[(0.0, 5.0), (100.0, 5.0)]).unwrap();
        assert_eq!(law.draw(&mut crate::engine::stream::DrawKey(1).draw()), 5.0);
        assert_eq!((law.mean(), law.variance()), (5.0, 0.0));
    }

    #[test]
    fn bad_tables_are_explained() {
        let error = |table: &[(f64, f64)]| Percentiles::new(table).unwrap_err();
        assert!(error(&[(50.0, 1.0), (100.0, 2.0)]).starts_with("p0,"));
        assert!(error(&[(0.0, 1.0), (50.0, 2.0)]).starts_with("p100,"));
        assert!(error(&[]).starts_with("p0,"));
        assert!(error(&[(0.0, 0.0), (100.0, 2.0)]).contains("logarithm"));
        let falling = error(&[(0.0, 1.0), (50.0, 3.0), (99.0, 2.0), (100.0, 4.0)]);
        assert_eq!(falling, "p99 is below p50: percentiles cannot fall");
    }
}
