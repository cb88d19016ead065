//! Draws: a counter generator addressed by a key, and named streams for the rest.
//!
//! Everything random about a request is drawn from a key that is derived, step by step, from
//! (seed, replication, request number, step, attempt). The same key gives the same draws whatever
//! else happens in the run, so two systems that meet the same request treat it to the same luck.
//! A key is 64 bits; deriving a child and opening its draws are a handful of instructions each.
//! This module does not know what a request, a step or a component is: it sees numbers and salts.

use std::convert::Infallible;

use rand::{SeedableRng, TryRng};
use rand_xoshiro::Xoshiro256PlusPlus;

/// Step of the counter behind [`Draw`]: 2^64 divided by the golden ratio, as in SplitMix64.
const DRAW_STEP: u64 = 0x9E37_79B9_7F4A_7C15;
/// Multiplier of salts; it and the mixer differ from those of [`Draw`], so that the children of a
/// key are not the numbers drawn from it.
const SALT_STEP: u64 = 0xD1B5_4A32_D192_ED03;

/// Pelle Evensen's `moremur`: a bijection whose outputs look random for consecutive inputs.
#[inline]
const fn mix_key(mut x: u64) -> u64 {
    x ^= x >> 27;
    x = x.wrapping_mul(0x3C79_AC49_2BA7_B653);
    x ^= x >> 33;
    x = x.wrapping_mul(0x1C69_B3F7_4AC4_AE35);
    x ^ (x >> 27)
}

/// The finaliser of SplitMix64 (Stafford's variant 13).
#[inline]
const fn mix_draw(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}

/// Address of a family of draws; children are addressed by salts or by plain numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct DrawKey(pub u64);

impl DrawKey {
    /// The key above all draws of one replication.
    pub const fn root(seed: u64, replication: u32) -> Self {
        Self(mix_key(seed ^ SALT_STEP)).child(replication as u64)
    }

    /// The key one level down: distinct salts give distinct keys, and the order of levels counts.
    #[inline]
    pub const fn child(self, salt: u64) -> Self {
        Self(mix_key(self.0.wrapping_add(salt.wrapping_mul(SALT_STEP)).wrapping_add(DRAW_STEP)))
    }

    /// Opens the draws of this key at their beginning.
    #[inline]
    pub const fn draw(self) -> Draw {
        Draw { state: self.0 }
    }
}

/// The number that stands for a name in a key; names become salts at plan time.
pub const fn salt(name: &str) -> u64 {
    let bytes = name.as_bytes();
    let mut hash = 0xCBF2_9CE4_8422_2325_u64;
    let mut i = 0;
    while i < bytes.len() {
        hash = (hash ^ bytes[i] as u64).wrapping_mul(0x0000_0100_0000_01B3);
        i += 1;
    }
    mix_key(hash)
}

/// The draws of one key, in order: SplitMix64, usable with everything in `rand` and `rand_distr`.
#[derive(Clone, Debug)]
pub struct Draw {
    state: u64,
}

impl Draw {
    #[inline]
    const fn step(&mut self) -> u64 {
        self.state = self.state.wrapping_add(DRAW_STEP);
        mix_draw(self.state)
    }

    /// Uniform on [0, 1), a multiple of 2^-53.
    #[inline]
    pub const fn unit(&mut self) -> f64 {
        (self.step() >> 11) as f64 * (1.0 / (1_u64 << 53) as f64)
    }

    /// Uniform on 0..n from exactly one draw (biased by at most n / 2^64); 0 when `n` is 0.
    #[inline]
    pub const fn below(&mut self, n: u64) -> u64 {
        ((self.step() as u128 * n as u128) >> 64) as u64
    }

    /// Uniform on 0..n, and the 32 leading bits of how far the draw lies into that number's share.
    #[inline]
    pub const fn below_and_rest(&mut self, n: u64) -> (u64, u32) {
        let product = self.step() as u128 * n as u128;
        ((product >> 64) as u64, (product as u64 >> 32) as u32)
    }

    /// True with probability `p`: never at 0, always at 1.
    #[inline]
    pub const fn chance(&mut self, p: f64) -> bool {
        self.unit() < p
    }
}

impl TryRng for Draw {
    type Error = Infallible;

    #[inline]
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok((self.step() >> 32) as u32)
    }

    #[inline]
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.step())
    }

    fn try_fill_bytes(&mut self, dst: &mut [u8]) -> Result<(), Infallible> {
        for chunk in dst.chunks_mut(8) {
            chunk.copy_from_slice(&self.step().to_le_bytes()[..chunk.len()]);
        }
        Ok(())
    }
}

/// The named streams of one replication, for what is not a request: crash times, probe phases.
#[derive(Clone, Copy, Debug)]
pub struct Streams {
    key: DrawKey,
}

impl Streams {
    /// The streams of one replication.
    pub const fn new(seed: u64, replication: u32) -> Self {
        Self { key: DrawKey::root(seed, replication).child(salt("streams")) }
    }

    /// The stream that `name` uses for `purpose`; asking twice gives the same numbers twice.
    pub fn get(&self, name: &str, purpose: &str) -> Xoshiro256PlusPlus {
        let mut seed = [0; 32];
        let mut draw = self.key.child(salt(name)).child(salt(purpose)).draw();
        for chunk in seed.chunks_exact_mut(8) {
            chunk.copy_from_slice(&draw.step().to_le_bytes());
        }
        Xoshiro256PlusPlus::from_seed(seed)
    }
}

/// The named stream of one replication; short for [`Streams::get`].
pub fn stream(seed: u64, replication: u32, name: &str, purpose: &str) -> Xoshiro256PlusPlus {
    Streams::new(seed, replication).get(name, purpose)
}

#[cfg(test)]
mod tests {
    use rand::Rng;
    use rand_distr::{Distribution, Exp1};

    use super::*;

    /// Changing any of these changes every result ever published: do it knowingly.
    #[test]
    fn the_first_draws_are_pinned() {
        let root = DrawKey::root(1, 0);
        let mut draw = root.child(salt("users")).child(7).draw();
        let first: Vec<u64> = (0..3).map(|_| draw.next_u64()).collect();
        let mut exponential = root.child(0).draw();
        let gap: f64 = Exp1.sample(&mut exponential);
        let mut stream = stream(1, 0, "web", "crash");
        let named: Vec<u64> = (0..2).map(|_| stream.next_u64()).collect();
        assert_eq!(salt("users"), 12_864_871_378_620_109_809);
        assert_eq!(root, DrawKey(6_695_717_266_768_168_252));
        let pinned =
            [1_302_627_483_050_010_740, 2_874_849_556_674_978_703, 12_064_886_004_528_532_064];
        assert_eq!(first, pinned);
        assert_eq!(gap, 2.886_840_646_119_822_4);
        assert_eq!(named, [10_488_597_953_243_558_259, 8_839_328_499_175_663_220]);
    }

    #[test]
    fn split_mix_is_the_published_one() {
        // First outputs of SplitMix64 for seed 1234567 (Vigna's reference implementation).
        let mut draw = DrawKey(1_234_567).draw();
        assert_eq!(draw.next_u64(), 6_457_827_717_110_365_317);
        assert_eq!(draw.next_u64(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn replications_seeds_names_and_levels_all_count() {
        let root = DrawKey::root(1, 0);
        let keys = [
            root,
            DrawKey::root(2, 0),
            DrawKey::root(1, 1),
            DrawKey::root(0, 1),
            root.child(1).child(2),
            root.child(2).child(1),
            root.child(3),
            root.child(salt("a")),
            root.child(salt("b")),
        ];
        for (i, a) in keys.iter().enumerate() {
            assert!(keys[i + 1..].iter().all(|b| a != b), "key {i} is not unique");
        }
    }

    /// Chi-square of `samples` values in 256 cells; 4.5 standard deviations either way.
    fn assert_uniform(what: &str, samples: impl Iterator<Item = f64>) {
        let mut cells = [0_u64; 256];
        let mut count = 0_u64;
        for u in samples {
            assert!((0.0..1.0).contains(&u));
            cells[(u * 256.0) as usize] += 1;
            count += 1;
        }
        let expected = count as f64 / 256.0;
        let chi: f64 = cells.iter().map(|&n| (n as f64 - expected).powi(2) / expected).sum();
        assert!((chi - 255.0).abs() < 4.5 * 510_f64.sqrt(), "{what}: chi-square {chi}");
    }

    /// The correlation of n independent pairs has standard error 1 / sqrt(n).
    fn assert_uncorrelated(what: &str, pairs: impl Iterator<Item = (f64, f64)>) {
        let (mut sum, mut count) = (0.0, 0.0);
        for (a, b) in pairs {
            sum += 12.0 * (a - 0.5) * (b - 0.5);
            count += 1.0;
        }
        let correlation: f64 = sum / count;
        assert!(correlation.abs() < 4.5 / f64::sqrt(count), "{what}: correlation {correlation}");
    }

    #[test]
    fn consecutive_requests_draw_independently() {
        let requests = DrawKey::root(1, 0).child(salt("requests"));
        let at = |k: u64, step: u64| requests.child(k).child(step).draw().unit();
        const N: u64 = 200_000;
        for step in [0, 1, salt("work")] {
            assert_uniform("first draws", (0..N).map(|k| at(k, step)));
            assert_uncorrelated("neighbours", (0..N).map(|k| (at(k, step), at(k + 1, step))));
        }
        assert_uniform(
            "low bits",
            (0..N).map(|k| (requests.child(k).draw().next_u64() & 0xFFFF) as f64 / 65_536.0),
        );
        assert_uncorrelated("steps", (0..N).map(|k| (at(k, 1), at(k, 2))));
        assert_uncorrelated(
            "parent and child",
            (0..N).map(|k| {
                (requests.child(k).draw().unit(), requests.child(k).child(0).draw().unit())
            }),
        );
        assert_uncorrelated(
            "replications",
            (0..N).map(|k| {
                let other = DrawKey::root(1, 1).child(salt("requests")).child(k).child(0);
                (at(k, 0), other.draw().unit())
            }),
        );
    }

    #[test]
    fn pairs_of_neighbours_fill_the_square() {
        let requests = DrawKey::root(3, 0);
        let pair = |k: u64| {
            let (a, b) = (requests.child(k).draw().unit(), requests.child(k + 1).draw().unit());
            ((a * 16.0).floor() * 16.0 + (b * 16.0).floor()) / 256.0
        };
        assert_uniform("pairs", (0..200_000).map(|k| pair(2 * k)));
        let within = |k: u64| {
            let mut draw = requests.child(k).draw();
            ((draw.unit() * 16.0).floor() * 16.0 + (draw.unit() * 16.0).floor()) / 256.0
        };
        assert_uniform("two draws of one key", (0..200_000).map(within));
    }

    #[test]
    fn below_and_chance_keep_their_promises() {
        let mut draw = DrawKey(5).draw();
        for _ in 0..1000 {
            assert!(draw.below(7) < 7);
            assert!(!draw.chance(0.0));
            assert!(draw.chance(1.0));
        }
        assert_uniform("below", (0..100_000).map(|_| draw.below(256) as f64 / 256.0));
        let (cell, rest) = DrawKey(9).draw().below_and_rest(1000);
        let exact = DrawKey(9).draw().next_u64() as f64 / 2_f64.powi(64) * 1000.0;
        assert!((cell as f64 + f64::from(rest) / 2_f64.powi(32) - exact).abs() < 1e-6);
    }

    #[test]
    fn bytes_follow_the_words() {
        let (mut bytes, mut words) = (DrawKey(5).draw(), DrawKey(5).draw());
        let mut out = [0_u8; 12];
        bytes.fill_bytes(&mut out);
        assert_eq!(out[..8], words.next_u64().to_le_bytes());
        assert_eq!(out[8..], words.next_u64().to_le_bytes()[..4]);
    }
}
