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

/// The scenario files that a path stands for: itself, or in a folder and those below it every file
/// that ends in `.yaml`, in the order of their paths.
pub fn scenarios(path: &str) -> Result<Vec<String>, String> {
    if !Path::new(path).is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let (mut folders, mut found) = (vec![PathBuf::from(path)], Vec::new());
    while let Some(folder) = folders.pop() {
        let cannot = |error| format!("cannot read `{}`: {error}", folder.display());
        for entry in fs::read_dir(&folder).map_err(cannot)? {
            let entry = entry.map_err(cannot)?.path();
            if entry.is_dir() {
                folders.push(entry);
            } else if entry.extension().is_some_and(|extension| extension == "yaml") {
                found.push(entry.to_string_lossy().into_owned());
            }
        }
    }
    found.sort();
    if found.is_empty() {
        return Err(format!("there is no `.yaml` file in `{path}`"));
    }
    Ok(found)
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

/// Where summaries are kept under names.
const BASELINES: &str = "output/baselines";

/// A name under which a summary may be kept.
///
/// # Errors
/// A name that would be another place.
pub fn baseline_name(name: &str) -> Result<String, String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    match !name.is_empty() && !name.starts_with('.') && name.chars().all(fits) {
        true => Ok(name.to_owned()),
        false => Err("a name has letters, digits, `_`, `-` and `.`".to_owned()),
    }
}

/// Keeps a summary under a name.
///
/// # Errors
/// What the disk says against it.
pub fn save_baseline(name: &str, summary: &str) -> Result<(), String> {
    write(Path::new(BASELINES), &format!("{name}.json"), summary)
}

/// Where the summary of a name is kept, if there is one.
pub fn baseline(name: &str) -> Option<PathBuf> {
    baseline_name(name).ok()?;
    let path = Path::new(BASELINES).join(format!("{name}.json"));
    path.is_file().then_some(path)
}

/// The names under which summaries are kept, in order.
pub fn baselines() -> Vec<String> {
    let entries = fs::read_dir(BASELINES).into_iter().flatten().flatten();
    let stem = |name: std::ffi::OsString| {
        name.to_str()?
            .strip_suffix(".json")
            .filter(|name| !name.starts_with('.'))
            .map(str::to_owned)
    };
    let mut names: Vec<String> = entries.filter_map(|entry| stem(entry.file_name())).collect();
    names.sort();
    names
}

/// Writes a file in place of one that is there.
///
/// # Errors
/// What the disk says against it.
pub fn replace(path: &Path, text: &str) -> Result<(), String> {
    let folder = path.parent().unwrap_or(Path::new(""));
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
    let name = name.ok_or_else(|| format!("`{}` is no file", path.display()))?;
    write(folder, &name, text)
}

/// The whole of a file, however long.
///
/// # Errors
/// What the disk says against it.
pub fn whole(path: &Path) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|error| format!("cannot read `{}`: {error}", path.display()))
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
