//! The program as a shell sees it: exit codes, what goes to which output, which files appear.

mod comparing;
mod hostile;
mod outputs;
mod verify;

use std::path::{Path, PathBuf};

/// A folder of one test's own, empty at its start.
pub struct Dir(PathBuf);

/// What a run of the program came to.
pub struct Done {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Dir {
    pub fn new(test: &str) -> Dir {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cli").join(test);
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(&path).expect("the folder can be made");
        Dir(path)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        std::fs::write(self.0.join(name), content).expect("the file can be written");
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.0.join(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
    }

    pub fn names(&self, folder: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.0.join(folder)).expect("the folder is there");
        let names = entries.map(|entry| entry.expect("an entry").file_name());
        let mut names: Vec<String> = names.map(|name| name.to_string_lossy().into()).collect();
        names.sort();
        names
    }

    /// Runs the program in this folder, with what is typed after its name.
    pub fn run(&self, arguments: &str) -> Done {
        self.run_with(arguments, "")
    }

    pub fn run_with(&self, arguments: &str, stdin: &str) -> Done {
        self.start(&arguments.split_whitespace().collect::<Vec<_>>(), stdin)
    }

    /// The same, with a last argument that has spaces in it.
    pub fn run_and(&self, arguments: &str, last: &str) -> Done {
        self.start(&arguments.split_whitespace().chain([last]).collect::<Vec<_>>(), "")
    }

    fn start(&self, arguments: &[&str], stdin: &str) -> Done {
        let mut command = assert_cmd::Command::new(env!("CARGO_BIN_EXE_simscale"));
        command.current_dir(&self.0).args(arguments).write_stdin(stdin);
        command.env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE");
        let output = command.output().expect("the program starts");
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("text is UTF-8");
        Done {
            code: output.status.code().expect("no signal"),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        }
    }
}

/// A queue that takes a fraction of a second, with an SLO of its own.
pub fn queue(slo: &str) -> String {
    format!(
        "\
users: {{ rate: 80/s, client: {{ timeout: none }} }}
entry: server
components:
  server:
    kind: service
    machine: {{ cores: 1 }}
    workers: 1
    queue: unlimited
    work: {{ exponential: 10ms }}
network: none
run: {{ duration: 100s, warmup: 20s, replications: 4 }}
slo: [ {slo} ]
"
    )
}
