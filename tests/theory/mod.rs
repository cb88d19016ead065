//! Systems with known answers: the files under `scenarios/theory/`, and what no file can say.

mod cases;
mod rhythm;
