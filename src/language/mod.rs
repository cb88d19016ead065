//! The scenario language: from YAML text to typed configuration, with every mistake in its place.
//!
//! A config type is declared once with [`config!`](crate::config!), [`choice!`](crate::choice!),
//! [`kinded!`](crate::kinded!), [`verbs!`](crate::verbs!) or [`scalar!`](crate::scalar!); decoding,
//! merging of layers, the JSON Schema and `explain` follow from that declaration.
//! This floor knows the forms of the language, but no key of it: components, users and the rest
//! declare their own. It opens no file and knows nothing of simulation.

pub mod audit;
pub mod codes;
pub mod containers;
pub mod declare;
pub mod decode;
pub mod diagnostic;
pub mod expect;
pub mod explain;
pub mod expression;
pub mod merge;
pub mod node;
pub mod path;
pub mod presets;
pub mod print;
pub mod range;
pub mod render;
pub mod schema;
pub mod shape;
pub mod source;
pub mod suggest;
pub mod uncertain;
pub mod values;

// A test may declare more than it uses: the sample is one of each form.
#[cfg(test)]
#[allow(dead_code)]
mod sample;
#[cfg(test)]
mod snippets;

pub use containers::{Names, OneOrMany, Table};
pub use decode::{Block, Decode, Reader};
pub use diagnostic::{Diagnostic, Diagnostics, Severity};
pub use explain::explain;
pub use merge::merge;
pub use node::Node;
pub use render::{RenderOptions, render};
pub use schema::schema;
pub use shape::Shape;
pub use source::{FileId, Sources, Span, Spanned};
pub use values::Name;
