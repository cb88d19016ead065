//! The report on a terminal: what a capacity planner reads in ten seconds, and then in ten minutes.
//!
//! Verdicts first, then requests and latency, failures, components by utilisation, the bottleneck
//! in numbers, what a forecast says, the bill, faults. It is a pure function of the summary; width
//! and colour are given, and a pipe has neither. It computes nothing but the layout.

pub mod capacity;
pub mod comparison;
pub(super) mod figure;
mod forecast;
mod line;
mod page;
mod sections;
mod table;
mod uncertain;
pub mod verify;

use crate::experiment::summary::Summary;
use page::Page;

/// What the report is written to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TextOptions {
    /// Columns of the terminal; in a pipe none, and nothing is wrapped or left out.
    pub width: Option<usize>,
    /// Whether colour may be used.
    pub colour: bool,
}

/// The report as text.
pub fn write(summary: &Summary, options: TextOptions) -> String {
    let mut page = Page::new(options);
    sections::header(summary, &mut page);
    sections::verdicts(summary, &mut page);
    sections::warnings(summary, &mut page);
    sections::traffic(summary, &mut page);
    sections::latency(summary, &mut page);
    sections::failures(summary, &mut page);
    sections::components(summary, &mut page);
    sections::bottleneck(summary, &mut page);
    forecast::forecast(summary, &mut page);
    sections::cost(summary, &mut page);
    sections::faults(summary, &mut page);
    if let Some(uncertainty) = &summary.uncertainty {
        uncertain::section(uncertainty, &mut page);
    }
    sections::legend(summary, &mut page);
    page.text(options.colour)
}

#[cfg(test)]
mod tests {
    use super::super::example;
    use super::*;

    fn text(summary: &Summary, width: Option<usize>) -> String {
        write(summary, TextOptions { width, colour: false })
    }

    /// The report as a page to look at; `UPDATE_EXPECT=1` writes it anew.
    #[test]
    fn the_report_of_the_example_is_the_page_beside_this_file() {
        let written = text(&example::summary(), Some(100));
        if std::env::var_os("UPDATE_EXPECT").is_some() {
            let path = concat!(env!("CARGO_MANIFEST_DIR"), "/src/report/text/example.txt");
            std::fs::write(path, &written).expect("the page can be written");
        }
        assert_eq!(written, include_str!("example.txt"));
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        for summary in [example::summary(), example::dead(), example::uncertain()] {
            for width in [60, 80, 100, 140, 200] {
                let text = text(&summary, Some(width));
                let widest = text.lines().map(|line| line.chars().count()).max();
                assert!(widest <= Some(width), "{widest:?} of {width}:\n{text}");
            }
        }
    }

    #[test]
    fn a_pipe_gets_everything_on_unbroken_lines() {
        let all = text(&example::summary(), None);
        assert!(!all.contains("wider terminal") && !all.contains('\x1b'));
        for heading in ["p99.9", "max", "arrivals", "attempts each", "until"] {
            assert!(all.contains(heading), "{heading}");
        }
        assert!(
            all.lines().any(|line| line.starts_with("note: ") && line.ends_with("replication"))
        );
        assert!(text(&example::summary(), Some(60)).contains("columns more on a wider terminal"));
    }

    #[test]
    fn colour_adds_nothing_but_colour() {
        let options = TextOptions { width: Some(100), colour: true };
        let coloured = write(&example::summary(), options);
        let mut plain = String::new();
        for (index, piece) in coloured.split("\x1b[").enumerate() {
            let text = if index == 0 { Some(piece) } else { piece.split_once('m').map(|(_, t)| t) };
            plain.push_str(text.expect("a colour ends with m"));
        }
        assert_ne!(plain, coloured);
        assert_eq!(plain, text(&example::summary(), Some(100)));
    }

    #[test]
    fn verdicts_come_first_and_then_what_a_planner_asks_next() {
        let text = text(&example::summary(), Some(100));
        let headings = [
            "SLO",
            "Requests",
            "Latency",
            "Failures",
            "Components",
            "Bottleneck",
            "Forecast",
            "Cost",
            "Faults",
        ];
        let places: Vec<_> = headings
            .iter()
            .map(|heading| {
                text.find(&format!("\n{heading} "))
                    .or(text.find(&format!("\n{heading}\n")))
                    .expect("a heading")
            })
            .collect();
        assert!(places.is_sorted(), "{places:?}");
        let rows: Vec<_> = ["  web ", "  db ", "  cache ", "  lb "]
            .iter()
            .map(|row| text.find(&format!("\n{row}")).expect("a component"))
            .collect();
        assert!(rows.is_sorted(), "the busiest first: {rows:?}");
    }

    #[test]
    fn a_dead_system_has_failed_and_has_no_latency() {
        let text = text(&example::dead(), Some(100));
        assert!(text.contains("SLO  fails\n  ✗ p99 < 500ms   ∞"), "{text}");
        assert!(text.contains("100%, 4,800,000 of 4,800,000 requests"), "{text}");
        assert!(!text.contains("Bottleneck") && !text.contains("NaN"));
    }

    #[test]
    fn every_note_of_the_summary_is_said_once() {
        let note = "one replication: there are no intervals";
        let warnings = vec![note.to_owned()];
        let summary = Summary { replications: 1, shrink: 10.0, warnings, ..example::summary() };
        let text = text(&summary, None);
        assert!(text.contains("one replication of 10min"), "{text}");
        assert_eq!(text.matches("note: ").count(), 1, "{text}");
        assert_eq!(text.matches(note).count(), 1, "{text}");
    }

    #[test]
    fn what_limits_a_system_is_told_without_what_does_not() {
        let mut summary = example::summary();
        let limits = &mut summary.bottleneck.as_mut().expect("it has one").limits;
        limits[0].component = "box".to_owned();
        limits[0].resource = "cores, shared by web and db".to_owned();
        limits[2].limit_rps = 16_141.0;
        let text = text(&summary, None);
        assert!(text.contains("\nBottleneck  box cores at 1,614/s (161K users);"), "{text}");
        assert!(text.contains("\n  box cores, shared by web and db  "), "{text}");
        assert!(text.contains("\n  full at more than 10 times that: web workers\n"), "{text}");
    }
}
