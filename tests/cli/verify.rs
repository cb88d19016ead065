//! `verify`: exit codes, what is said of files that hold and of those that do not.

use super::{Dir, queue};
use serde_json::Value;

/// The queue with what it expects and a source.
fn case(expect: &str) -> String {
    queue("p99 < 10s").replace("80/s", "50/s")
        + &format!("source: a formula\nname: M/M/1\nexpect: [ {expect} ]\n")
}

const RIGHT: &str = "mean == 20ms within 10%";

#[test]
fn the_exit_code_is_the_verdict_on_the_expectations() {
    let dir = Dir::new("verify_codes");
    dir.write("right.yaml", case(RIGHT));
    dir.write("wrong.yaml", case("mean == 30ms within 10%"));
    dir.write("open.yaml", case("mean == 20ms within 0.01%"));
    dir.write("bad.yaml", case(RIGHT).replace("workers", "wrokers"));
    dir.write("worse.yaml", case("server.hit_ratio == 1"));
    dir.write("silent.yaml", queue("p99 < 10s"));
    let code = |files: &str| dir.run(&format!("verify {files}")).code;
    assert_eq!(code("right.yaml"), 0);
    assert_eq!(code("right.yaml open.yaml"), 98);
    assert_eq!(code("open.yaml wrong.yaml right.yaml"), 99);
    let done = dir.run("verify right.yaml bad.yaml worse.yaml silent.yaml");
    assert_eq!((done.code, done.stdout.as_str()), (1, ""));
    for part in ["bad.yaml:7:5", "worse.yaml:15:", "`silent.yaml` has no `expect`"] {
        assert!(done.stderr.contains(part), "{part} in {}", done.stderr);
    }
    assert_eq!(code("nowhere.yaml"), 1);
    assert_eq!(code(""), 1, "there is no scenarios/theory here");
    assert_eq!(dir.names("").len(), 6, "nothing is written");
}

#[test]
fn a_file_that_holds_is_a_line_and_details_say_the_rest() {
    let dir = Dir::new("verify_page");
    let sweep = "sweep: { points: [ { name: half }, { name: most, users.rate: 80/s, \
                 expect: [ server.utilization == 80% within 5% ] } ] }\n";
    dir.write("right.yaml", case("mean > 10ms, most.mean / half.mean > 1") + sweep);
    dir.write("wrong.yaml", case(&format!("{RIGHT}, mean == 30ms within 10%")));
    let lines = |arguments: &str| -> Vec<String> {
        let done = dir.run(arguments);
        assert_eq!(done.stderr, "");
        done.stdout
            .lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
            .collect()
    };
    let page = lines("verify right.yaml");
    assert!(page[1].starts_with("right.yaml M/M/1 4 of 4 "), "{page:?}");
    assert_eq!(page[3], "right.yaml: 1 case, 4 expectations: all hold");
    let page = lines("verify right.yaml --details");
    assert_eq!((page[3].as_str(), page[5].as_str()), ("half", "most"));
    assert_eq!(page[8], "points compared");
    assert!(page[7].starts_with("✓ server.utilization 80% within 5% "), "{page:?}");
    // Of a file that does not hold only what does not hold is told.
    let page = lines("verify wrong.yaml right.yaml");
    assert!(page[1].starts_with("wrong.yaml M/M/1 1 of 2 -"), "{page:?}");
    assert!(page[3].starts_with("✗ mean 30ms within 10% "), "{page:?}");
    assert!(page[4].starts_with("right.yaml "), "{page:?}");
    assert_eq!(page[6], "files: 2 cases, 6 expectations: 5 hold, 1 proven outside");
}

#[test]
fn a_folder_is_all_its_files_in_order_and_a_file_without_source_is_remarked() {
    let dir = Dir::new("verify_folder");
    std::fs::create_dir_all(dir.path("theory/more")).expect("the folder can be made");
    dir.write("theory/b.yaml", case(RIGHT).replace("source: a formula\n", ""));
    dir.write("theory/a.yaml", case(RIGHT));
    dir.write("theory/more/c.yaml", case(RIGHT));
    dir.write("theory/notes.md", "no scenario");
    let done = dir.run("verify theory/");
    let starts: Vec<&str> =
        done.stdout.lines().filter_map(|line| line.split_whitespace().next()).collect();
    let files = ["file", "theory/a.yaml", "theory/b.yaml", "no", "theory/more/c.yaml"];
    assert_eq!(starts[..5], files, "{}", done.stdout);
    assert!(done.stdout.contains("\n    no source\n"), "{}", done.stdout);
    assert!(done.stdout.contains("theory: 3 cases, 3 expectations: all hold"), "{}", done.stdout);
    assert_eq!(done.code, 0);
}

#[test]
fn bytes_depend_on_the_seed_and_not_on_the_threads() {
    let dir = Dir::new("verify_bytes");
    dir.write("right.yaml", case(RIGHT));
    dir.write("wrong.yaml", case("mean == 30ms within 10%"));
    let json = |flags: &str| {
        let done = dir.run(&format!("verify right.yaml wrong.yaml --format json {flags}"));
        assert_eq!((done.code, done.stderr.as_str()), (99, ""));
        done.stdout
    };
    let one = json("--jobs 1");
    assert_eq!(one, json("--jobs 3 --quiet"));
    assert_eq!(one, json("--seed 1"), "the seed of a file that names none");
    let other: Value = serde_json::from_str(&json("--seed 7")).expect("it is JSON");
    let one: Value = serde_json::from_str(&one).expect("it is JSON");
    assert_eq!((&one["hold"], &one["fail"]), (&1.into(), &1.into()));
    let of = |run: &Value| run["files"][0]["expectations"][0].clone();
    assert_ne!(of(&one)["value"], of(&other)["value"]);
    assert_eq!((&of(&other)["target"], &of(&other)["tolerance"]), (&20.0.into(), &2.0.into()));
    assert_eq!(of(&other)["verdict"], "holds");
}
