//! What holds in every run, whatever the system: the same luck for the same request, conservation,
//! Little's law, and one outcome for each request.

mod common_numbers;
mod conservation;
mod lab;
mod systems;
