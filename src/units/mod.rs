//! Typed quantities: what a number in a scenario means, how it is written and how it is printed.
//!
//! Every quantity parses its own notation, refuses what could mean two things (`m`, `KB`, a bare
//! number) and prints itself so that parsing the text gives the same value again.
//! This floor knows nothing of YAML, of files and positions in them, or of what a quantity is for.

pub mod bandwidth;
pub mod bytes;
pub mod count;
pub mod duration;
pub mod factor;
pub mod instant;
pub mod money;
pub mod notation;
pub mod quantity;
pub mod rate;
pub mod ratio;

pub use bandwidth::Bandwidth;
pub use bytes::Bytes;
pub use count::{Count, MeanCount};
pub use duration::Duration;
pub use factor::Factor;
pub use instant::Instant;
pub use money::{HOURS_PER_MONTH, Money, Per, Price};
pub use notation::{UnitError, UnitErrorKind};
pub use quantity::Quantity;
pub use rate::Rate;
pub use ratio::Ratio;
