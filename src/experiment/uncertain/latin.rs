//! Latin hypercube samples (McKay, Beckman and Conover 1979): values of several parameters that
//! fill the range of each as evenly as their number allows.
//!
//! The range of a parameter is cut into as many equally likely pieces as there are samples, and one
//! sample meets each piece. Which one is drawn from a stream of the parameter's own, so
//! a parameter that is added moves no other. It knows no scenario.

use crate::engine::stream::{DrawKey, salt};
use crate::units::Quantity;

/// Significant digits of a sampled value; far more than are known of any parameter.
const DIGITS: usize = 6;

/// For one parameter the shares, in (0, 1), at which its samples lie.
pub fn shares(seed: u64, parameter: &str, samples: u32) -> Vec<f64> {
    let mut draw = DrawKey::root(seed, 0).child(salt("uncertain")).child(salt(parameter)).draw();
    let mut pieces: Vec<u32> = (0..samples).collect();
    for last in (1..pieces.len()).rev() {
        pieces.swap(last, draw.below(last as u64 + 1) as usize);
    }
    let within = |piece: u32| (f64::from(piece) + draw.unit()) / f64::from(samples);
    pieces.into_iter().map(within).collect()
}

/// The value of a parameter that a share of its samples does not exceed.
///
/// The written value is the median, unless it is an end. Both halves are uniform on the logarithm,
/// for what is known of a service time is a factor and not a difference; uniform as they are where
/// an end is zero.
pub fn value(share: f64, [value, low, high]: [Quantity; 3]) -> Quantity {
    let number = match share < 0.5 {
        // With the value at an end there is only one half.
        _ if low == value || high == value => low.between(high, share),
        true => low.between(value, 2.0 * share),
        false => value.between(high, 2.0 * share - 1.0),
    };
    let rounded: f64 =
        format!("{number:.*e}", DIGITS - 1).parse().expect("a printed number is one");
    value.with(rounded.clamp(low.value(), high.value()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_piece_of_a_range_is_met_once() {
        for samples in [1, 2, 16, 101] {
            for parameter in ["components.web.work", "network.users"] {
                let mut met: Vec<u32> = shares(7, parameter, samples)
                    .iter()
                    .map(|share| (share * f64::from(samples)) as u32)
                    .collect();
                met.sort_unstable();
                assert_eq!(met, (0..samples).collect::<Vec<_>>(), "{parameter}, {samples}");
            }
        }
    }

    #[test]
    fn seeds_and_parameters_have_orders_of_their_own() {
        let first = shares(1, "a", 50);
        assert_eq!(first, shares(1, "a", 50));
        assert_ne!(first, shares(2, "a", 50));
        let (sum, other) = (first.iter().sum::<f64>() / 50.0, shares(1, "b", 50));
        // Orders drawn at random are uncorrelated up to 4.5 / sqrt(n - 1) = 0.64.
        let correlation =
            first.iter().zip(&other).map(|(a, b)| (a - sum) * (b - sum)).sum::<f64>() / 50.0 * 12.0;
        assert!(correlation.abs() < 0.64, "{correlation}");
    }

    fn at(share: f64, texts: [&str; 3]) -> String {
        value(share, texts.map(|text| Quantity::parse(text).expect("a quantity"))).to_string()
    }

    #[test]
    fn the_written_value_is_the_median_and_the_halves_are_even_in_factors() {
        let range = ["20ms", "5ms", "40ms"];
        let shares = [0.0, 0.25, 0.5, 0.75, 1.0];
        let values = shares.map(|share| at(share, range));
        assert_eq!(values, ["5ms", "10ms", "20ms", "28.2843ms", "40ms"]);
        assert_eq!(at(0.5, ["10ms", "0ms", "20ms"]), "10ms");
        assert_eq!(at(0.25, ["10ms", "0ms", "20ms"]), "5ms");
        assert_eq!(at(0.25, ["10ms", "0ms", "10ms"]), "2.5ms");
        assert_eq!(at(0.5, ["10ms", "10ms", "40ms"]), "20ms");
        assert_eq!(at(0.7, ["4", "1", "10"]), "6");
    }
}
