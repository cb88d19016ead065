//! Repeating a failed call: how often, after what pause, for which causes.
//!
//! It does not know what a cause means; causes are bits of a mask.

use crate::engine::stream::DrawKey;
use crate::language::{Span, Spanned};
use crate::random::{Distribution, Sampler};
use crate::units::{Duration, Factor};
use crate::{choice, config};

config! {
    /// Repeats of a call after its first try.
    pub struct RetriesConfig, short = max {
        /// How many repeats at most; a tool's "3 attempts" is 2 here.
        max: u64 = "0" in 0..=255,
        /// The pause before a repeat.
        backoff: BackoffConfig = "0s",
        /// Which failures are repeated.
        when: Vec<RetryWhen> = "[timeout, error, refused, rejected, crashed]",
        /// Whether a repeat avoids the instance of the try before.
        other_instance: bool = "true",
    }
    unbuilt { budget: "a bound on repeats as a share of the first tries" }
}

config! {
    /// The pause before a repeat: `base` x `factor` ^ (repeat - 1), at most `cap`, spread by
    /// `jitter`.
    pub struct BackoffConfig, short = base {
        /// Before the first repeat; a distribution is drawn anew each time.
        base: Distribution = "0s",
        /// Growth from one repeat to the next.
        factor: Factor = "1x",
        /// Never longer than this.
        cap: Option<Duration> = "none",
        /// How the pause is spread.
        jitter: Jitter = "none",
    }
}

choice! {
    /// How a backoff is spread.
    #[derive(Copy, PartialEq, Eq)]
    pub enum Jitter {
        /// Not at all.
        none: None,
        /// Uniform between nothing and the whole pause.
        full: Full,
        /// Half of it fixed, half uniform.
        equal: Equal,
    }
    unbuilt { decorrelated: "a pause that depends on the one before" }
}

choice! {
    /// A failure as the caller sees it.
    #[derive(Copy, PartialEq, Eq)]
    pub enum RetryWhen {
        /// It stopped waiting, whether the callee worked or was silent.
        timeout: Timeout,
        /// The callee answered with an error: its own, or one of those behind it.
        error: Error,
        /// Nobody listened, or no connection was left.
        refused: Refused,
        /// The accept queue was full.
        rejected: Rejected,
        /// The connection was reset.
        crashed: Crashed,
    }
}

/// The pause before a repeat.
#[derive(Clone, Debug)]
pub struct Backoff {
    /// Before the first repeat.
    pub base: Sampler,
    /// Growth from one repeat to the next.
    pub factor: f64,
    /// Never longer than this.
    pub cap: Option<Duration>,
    /// How it is spread.
    pub jitter: Jitter,
}

/// Repeats after the first try.
#[derive(Clone, Debug)]
pub struct RetryPlan {
    /// How many repeats at most.
    pub max: u8,
    /// The pause before each.
    pub backoff: Backoff,
    /// Bit mask of the causes that are repeated.
    pub causes: u32,
    /// Whether a repeat avoids the backend of the try before.
    pub other_instance: bool,
}

/// Without a cap a pause still ends, after a hundred years: the clock must not overflow.
const LONGEST_NS: f64 = 3.2e18;

impl RetriesConfig {
    /// The plan, if there is a repeat at all; `mask` gives the causes of a failure as bits.
    pub fn plan(&self, mask: impl Fn(RetryWhen) -> u32) -> Option<RetryPlan> {
        let max = self.max.value as u8;
        let backoff = &self.backoff.value;
        (max > 0).then(|| RetryPlan {
            max,
            backoff: Backoff {
                base: backoff.base.value.plan(),
                factor: backoff.factor.value.0,
                cap: backoff.cap.value,
                jitter: backoff.jitter.value,
            },
            causes: self.when.value.iter().map(|when| mask(*when)).fold(0, |all, bit| all | bit),
            other_instance: self.other_instance.value,
        })
    }

    /// Where the repeats were written, if there are any.
    pub fn written(&self) -> Option<Span> {
        let Spanned { value, span } = self.max;
        (value > 0).then_some(span)
    }
}

impl RetryPlan {
    /// Whether the try number `attempt` (0 = the first) that failed for `cause` is repeated.
    #[inline]
    pub fn repeats(&self, attempt: u8, cause: u32) -> bool {
        attempt < self.max && self.causes >> cause & 1 == 1
    }

    /// The pause before repeat number `repeat` (1 = the first), drawn with the call's own key.
    pub fn pause(&self, repeat: u8, draw: DrawKey) -> Duration {
        let mut draw = draw.draw();
        let Backoff { base, factor, cap, jitter } = &self.backoff;
        let grown = base.sample(&mut draw) as f64 * factor.powi(i32::from(repeat) - 1);
        let longest = cap.map_or(LONGEST_NS, |cap| cap.0 as f64);
        let whole = grown.min(longest);
        Duration(match jitter {
            Jitter::None => whole,
            Jitter::Full => whole * draw.unit(),
            Jitter::Equal => whole * (0.5 + 0.5 * draw.unit()),
        } as i64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(jitter: Jitter) -> RetryPlan {
        RetryPlan {
            max: 3,
            backoff: Backoff {
                base: Sampler::constant(100),
                factor: 2.0,
                cap: Some(Duration(300)),
                jitter,
            },
            causes: 0b10,
            other_instance: true,
        }
    }

    #[test]
    fn pauses_grow_up_to_the_cap_and_stay_within_the_jitter() {
        let pauses = |jitter| [1, 2, 3].map(|n| plan(jitter).pause(n, DrawKey(u64::from(n))).0);
        assert_eq!(pauses(Jitter::None), [100, 200, 300]);
        assert!(pauses(Jitter::Full).iter().zip([100, 200, 300]).all(|(p, whole)| *p <= whole));
        assert!(pauses(Jitter::Equal).iter().zip([50, 100, 150]).all(|(p, half)| *p >= half));
        assert!(plan(Jitter::None).repeats(2, 1));
        assert!(!plan(Jitter::None).repeats(3, 1));
        assert!(!plan(Jitter::None).repeats(0, 0));
    }
}
