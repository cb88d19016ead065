//! Reading scenarios and writing results: the only place that touches the disk.
//!
//! Results appear whole or not at all: they are written beside their place and then renamed.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// One byte more than the language accepts, so that what is longer is seen to be.
const READ_MAX: u64 = (4 << 20) + 1;

/// The content of a file, of standard input for `-`; cut off where it is too long for a scenario.
pub fn open(path: &str) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    match path {
        "-" => io::stdin().lock().take(READ_MAX).read_to_end(&mut bytes)?,
        path => File::open(path)?.take(READ_MAX).read_to_end(&mut bytes)?,
    };
    Ok(bytes)
}

/// Makes a folder where it is missing, so that a run whose results could not be kept never begins.
pub fn prepare(folder: &Path) -> Result<(), String> {
    fs::create_dir_all(folder)
        .map_err(|error| format!("cannot make `{}`: {error}", folder.display()))
}

/// Writes a file of a folder, which is made where it is missing.
pub fn write(folder: &Path, name: &str, text: &str) -> Result<(), String> {
    let path = folder.join(name);
    let beside = folder.join(format!(".{name}.{}", std::process::id()));
    let written = fs::create_dir_all(folder)
        .and_then(|()| {
            let mut file = File::create(&beside)?;
            file.write_all(text.as_bytes())
        })
        .and_then(|()| fs::rename(&beside, &path));
    written.map_err(|error| {
        let _ = fs::remove_file(&beside);
        format!("cannot write `{}`: {error}", path.display())
    })
}

/// The last component of a path, `stdin` for `-`.
pub fn name(path: &str) -> String {
    let name = if path == "-" { None } else { Path::new(path).file_name() };
    name.map_or_else(|| "stdin".to_string(), |name| name.to_string_lossy().into_owned())
}

/// Where the results of a scenario go unless told otherwise.
pub fn output_folder(path: &str, point: Option<&str>) -> PathBuf {
    let name = name(path);
    let stem = Path::new(&name).file_stem().unwrap_or(name.as_ref());
    let folder = Path::new("output").join(stem);
    point.map_or_else(|| folder.clone(), |point| folder.join(point))
}
