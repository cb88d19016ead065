//! What holds in every run, whatever the system: the same luck for the same request, conservation,
//! Little's law, one outcome for each request, and what queueing theory says path by path.

mod calls;
mod common_numbers;
mod conservation;
mod edge;
pub mod lab;
mod paths;
mod systems;
