//! Files that are none, or that want to exhaust the machine: an error within a second, no panic.

use super::Dir;
use std::fmt::Write;
use std::time::{Duration, Instant};

/// The program refuses the file by every command that reads one, with this code.
fn refused(dir: &Dir, file: &str, code: &str) {
    for command in ["run", "validate"] {
        let clock = Instant::now();
        let done = dir.run(&format!("{command} {file}"));
        let elapsed = clock.elapsed();
        assert_eq!(done.code, 1, "{command} {file}: {}", done.stderr);
        assert_eq!(done.stdout, "");
        assert!(done.stderr.contains(code), "{command} {file}: {}", done.stderr);
        assert!(!done.stderr.contains("panicked"), "{}", done.stderr);
        assert!(elapsed < Duration::from_secs(1), "{command} {file}: {elapsed:?}");
    }
}

#[test]
fn what_cannot_be_read() {
    let dir = Dir::new("unreadable");
    refused(&dir, "nowhere.yaml", "E0601");
    refused(&dir, ".", "E0601");
}

#[test]
fn what_is_no_text_or_no_scenario() {
    let dir = Dir::new("binary");
    let mut state = 1_u64;
    let mut random = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 56) as u8
    };
    dir.write("random.yaml", (0..10_000).map(|_| random()).collect::<Vec<u8>>());
    refused(&dir, "random.yaml", "E0003");
    dir.write("zeros.yaml", [0; 1000]);
    refused(&dir, "zeros.yaml", "error[E");
    dir.write("empty.yaml", "");
    refused(&dir, "empty.yaml", "E0104");
    dir.write("list.yaml", "[a, b]");
    refused(&dir, "list.yaml", "E0104");
    dir.write("large.yaml", "a: ".repeat(3_000_000));
    refused(&dir, "large.yaml", "E0002");
}

#[test]
fn what_grows_or_nests_without_end() {
    let dir = Dir::new("bombs");
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let below = vec![format!("*a{}", level - 1); 9].join(", ");
        let _ = writeln!(bomb, "a{level}: &a{level} [{below}]");
    }
    dir.write("aliases.yaml", bomb);
    refused(&dir, "aliases.yaml", "E0002");
    dir.write("brackets.yaml", "[".repeat(100_000));
    refused(&dir, "brackets.yaml", "error[E000");
    dir.write("braces.yaml", "{a: ".repeat(100_000));
    refused(&dir, "braces.yaml", "error[E000");
    let deep: String = (0..5_000).map(|depth| format!("{}a:\n", " ".repeat(depth % 500))).collect();
    dir.write("deep.yaml", deep);
    refused(&dir, "deep.yaml", "error[E");
    let setting = format!("--set=entry={}", "[".repeat(50_000));
    dir.write("none.yaml", "entry: x");
    assert_eq!(dir.run(&format!("validate none.yaml {setting}")).code, 1);
}

#[test]
fn files_that_extend_each_other_in_a_circle() {
    let dir = Dir::new("circle");
    dir.write("a.yaml", "extends: b.yaml\n");
    dir.write("b.yaml", "extends: ./a.yaml\n");
    dir.write("self.yaml", "extends: self.yaml\n");
    dir.write("lost.yaml", "name: x\nextends: gone.yaml\n");
    refused(&dir, "a.yaml", "E0602");
    refused(&dir, "self.yaml", "E0602");
    refused(&dir, "lost.yaml", "lost.yaml:2:10");
}
