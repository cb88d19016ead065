//! What is written where, and what the shell is told.

use super::{Dir, queue};
use serde_json::Value;

fn summary(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn the_exit_code_is_the_verdict_on_the_slos() {
    let dir = Dir::new("exit_codes");
    dir.write("holds.yaml", queue("p99 < 10s"));
    dir.write("fails.yaml", queue("p99 < 1ms"));
    dir.write("open.yaml", queue("mean < 50ms"));
    dir.write("wrong.yaml", queue("p99 < 10"));
    assert_eq!(dir.run("run holds.yaml").code, 0);
    assert_eq!(dir.run("run fails.yaml").code, 99);
    // A few seconds of a queue whose mean is 50 ms cannot tell on which side of 50 ms it is.
    assert_eq!(dir.run("run open.yaml --duration 2s --replications 2").code, 98);
    assert_eq!(dir.run("run wrong.yaml").code, 1);
    assert_eq!(dir.run("run holds.yaml --jobs 0").code, 2);
    assert_eq!(dir.run("run holds.yaml --no-such-flag").code, 2);
    assert_eq!(dir.run("").code, 2);
    assert_eq!(dir.run("--help").code, 0);
}

#[test]
fn the_table_is_on_standard_output_and_in_the_folder() {
    let dir = Dir::new("table");
    dir.write("queue.yaml", queue("p99 < 10s"));
    let done = dir.run("run queue.yaml");
    assert!(done.stdout.contains("p99 < 10s"), "{}", done.stdout);
    assert!(!done.stdout.contains('\x1b'), "no colour in a pipe");
    assert_eq!(dir.names("output/queue"), ["report.txt", "summary.json"]);
    assert_eq!(dir.read("output/queue/report.txt"), done.stdout);
    assert!(dir.run("run queue.yaml --color always").stdout.contains('\x1b'));
    assert_eq!(dir.run("run queue.yaml --quiet").stderr, "");
    assert_eq!(dir.run("run queue.yaml --out there/below --quiet").stdout, done.stdout);
    assert_eq!(dir.names("there/below"), ["report.txt", "summary.json"]);
}

#[test]
fn json_is_the_only_thing_on_standard_output_and_fits_its_schema() {
    let dir = Dir::new("json");
    dir.write("queue.yaml", queue("p99 < 10s"));
    let done = dir.run("run queue.yaml --format json");
    let instance = summary(&done.stdout);
    assert_eq!(dir.read("output/queue/summary.json"), done.stdout);
    let schema = summary(&dir.run("schema --summary").stdout);
    let validator = jsonschema::validator_for(&schema).expect("a valid schema");
    let errors: Vec<String> = validator.iter_errors(&instance).map(|e| e.to_string()).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    assert_eq!(instance["scenario"]["file"], "queue.yaml");
}

#[test]
fn equal_inputs_give_equal_bytes_whatever_the_number_of_threads() {
    let dir = Dir::new("bytes");
    dir.write("queue.yaml", queue("p99 < 10s"));
    let one = dir.run("run queue.yaml --format json --jobs 1").stdout;
    assert_eq!(one, dir.run("run queue.yaml --format json --jobs 2").stdout);
    assert_eq!(one, dir.run("run queue.yaml --format json --jobs 2 --timing").stdout);
    // Comments and the order of keys mean nothing; standard input has another name.
    let other = dir.run_with("run - --format json --jobs 2", &queue("p99 < 10s")).stdout;
    assert_eq!(one.replace("queue.yaml", "stdin").replace("\"queue\"", "\"stdin\""), other);
}

#[test]
fn another_seed_differs_inside_the_intervals() {
    let dir = Dir::new("seed");
    dir.write("queue.yaml", queue("p99 < 10s"));
    let run = |seed: u32| {
        let done = dir.run(&format!("run queue.yaml --format json --seed {seed}"));
        summary(&done.stdout)["overall"]["latency_ms"]["felt"]["mean"].clone()
    };
    let (first, second) = (run(1), run(2));
    assert_ne!(first, second);
    let interval = |one: &Value| {
        let end = |index: usize| one["ci95"][index].as_f64().expect("an interval");
        (end(0), end(1))
    };
    let ((low1, high1), (low2, high2)) = (interval(&first), interval(&second));
    assert!(low1 < high2 && low2 < high1, "{first} and {second}");
}

#[test]
fn flags_of_their_own_win_over_set_and_set_over_the_file() {
    let dir = Dir::new("flags");
    dir.write("queue.yaml", queue("p99 < 10s"));
    let flags = "--set run.seed=5 --set run.replications=3 --seed 6 --duration 10s";
    let summary = summary(&dir.run(&format!("run queue.yaml --format json {flags}")).stdout);
    assert_eq!(summary["seed"], 6);
    assert_eq!(summary["replications"], 3);
    assert_eq!(summary["duration_s"], 10.0);
    let done = dir.run("run queue.yaml --duration 10 --set entry=servr");
    assert_eq!(done.code, 1);
    for part in ["--duration:1:14", "--set #1:1:7", "did you mean `server`?"] {
        assert!(done.stderr.contains(part), "{part} in {}", done.stderr);
    }
}

#[test]
fn points_of_a_sweep_are_run_by_name() {
    let dir = Dir::new("points");
    let sweep = "sweep: { points: [ { name: rush, users.rate: 90/s }, { users.rate: 10/s } ] }\n\
                 expect: [ rush.mean > 1ms, rush.mean / point_1.mean > 1 ]\n";
    dir.write("queue.yaml", queue("p99 < 10s") + &sweep.replace("point_1", "point_2"));
    let rate = |flags: &str| {
        let done = dir.run(&format!("run queue.yaml --format json {flags}"));
        assert_eq!(done.code, 0, "{}", done.stderr);
        summary(&done.stdout)["overall"]["offered_rps"]["mean"].as_f64().expect("a rate")
    };
    assert!((rate("") - 80.0).abs() < 8.0);
    assert!((rate("--point rush") - 90.0).abs() < 9.0);
    assert!((rate("--point point_2") - 10.0).abs() < 4.0);
    assert_eq!(dir.names("output/queue"), ["point_2", "report.txt", "rush", "summary.json"]);
    let done = dir.run("run queue.yaml --point rsh");
    assert_eq!((done.code, done.stderr.contains("did you mean `rush`?")), (1, true));
}

#[test]
fn validate_reports_all_files_in_three_forms() {
    let dir = Dir::new("validate");
    dir.write("good.yaml", queue("p99 < 10s"));
    dir.write("bad.yaml", queue("p99 < 10s").replace("workers", "wrokers"));
    let done = dir.run("validate bad.yaml good.yaml");
    assert_eq!((done.code, done.stdout.as_str()), (1, "good.yaml: valid\n"));
    assert!(done.stderr.contains("bad.yaml:7:5"), "{}", done.stderr);
    let list = summary(&dir.run("validate bad.yaml --format json").stdout);
    assert_eq!((&list[0]["code"], &list[0]["line"]), (&"E0101".into(), &7.into()));
    let line = dir.run("validate bad.yaml --format github").stdout;
    assert!(line.starts_with("::error file=bad.yaml,line=7,col=5,title=E0101::unknown"), "{line}");
    let resolved = dir.run("validate good.yaml --resolved --set users.rate=5/s").stdout;
    assert!(resolved.contains("rate: 5/s"), "{resolved}");
    dir.write("again.yaml", resolved);
    assert_eq!(dir.run("validate again.yaml").code, 0);
}

#[test]
fn what_is_begun_with_init_runs() {
    let dir = Dir::new("init");
    assert_eq!(dir.run("init").code, 0);
    assert_eq!(dir.run("init").code, 1, "a file that is there is left alone");
    let done = dir.run("run scenario.yaml --duration 20s");
    assert_eq!(done.code, 0, "{}{}", done.stdout, done.stderr);
    let done = dir.run("validate scenario.yaml");
    assert_eq!((done.code, done.stderr.as_str()), (0, ""), "not even a warning");
}

#[test]
fn explain_knows_keys_metrics_and_codes() {
    let dir = Dir::new("explain");
    let says = |subject: &str, part: &str| {
        let done = dir.run(&format!("explain {subject}"));
        assert_eq!(done.code, 0, "{}", done.stderr);
        assert!(done.stdout.contains(part), "{}", done.stdout);
    };
    says("", "components");
    says("components.web.queue", "default");
    says("extends", "relative");
    says("sweep.points", "points");
    says("prob_wait", "had to wait");
    says("metrics", "prob_wait");
    says("slo", "see: simscale explain metrics");
    says("expect", "see: simscale explain metrics");
    says("e0101", "unknown key");
    says("E0602", "circle");
    assert_eq!(dir.run("explain componnts").code, 1);
    assert_eq!(dir.run("explain E0000").code, 1);
}

#[test]
fn completions_name_the_commands() {
    let dir = Dir::new("completions");
    for shell in ["bash", "zsh", "fish"] {
        assert!(dir.run(&format!("completions {shell}")).stdout.contains("validate"), "{shell}");
    }
}

#[test]
fn samples_of_what_is_uncertain_are_in_report_and_summary_alike() {
    let dir = Dir::new("uncertain");
    let ranged = queue("p99 < 1s").replace("10ms", "10ms in 8ms..11ms");
    dir.write("queue.yaml", &ranged);
    let one = dir.run("run queue.yaml --uncertain=4 --jobs 1 --out one");
    assert_eq!(one.code, 0, "{}", one.stderr);
    for part in ["Input uncertainty  4 samples over the ranges of one value", "4 of 4"] {
        assert!(one.stdout.contains(part), "{}", one.stdout);
    }
    let two = dir.run("run queue.yaml --uncertain=4 --jobs 2 --out two");
    assert_eq!(one.stdout, two.stdout);
    assert_eq!(dir.read("one/summary.json"), dir.read("two/summary.json"));
    let summary: Value = serde_json::from_str(&dir.read("one/summary.json")).expect("JSON");
    assert_eq!(summary["uncertainty"]["samples"], 4);
    // The run as written is the same with and without the range, and with and without the samples.
    let plain = dir.run("run queue.yaml --format json --out plain").stdout;
    dir.write("queue.yaml", queue("p99 < 1s"));
    assert_eq!(plain, dir.run("run queue.yaml --format json --out exact").stdout);
    assert!(one.stdout.starts_with(dir.read("plain/report.txt").split("\n\n±").next().unwrap()));
}

#[test]
fn a_scenario_without_ranges_has_nothing_to_sample() {
    let dir = Dir::new("certain");
    dir.write("queue.yaml", queue("p99 < 1s"));
    let done = dir.run("run queue.yaml --uncertain");
    assert_eq!((done.code, done.stdout.as_str()), (1, ""));
    assert!(done.stderr.contains("work: 20ms in 10ms..40ms"), "{}", done.stderr);
    let set = "--set=components.server.work.exponential.mean=10ms";
    assert_eq!(dir.run(&format!("run queue.yaml {set} --uncertain=1")).code, 2);
}
