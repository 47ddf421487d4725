//! Puts what `cargo xtask web` built into `web/dist` into the crate. Without it the crate holds no pages, and the rest of
//! the workspace compiles all the same.

use std::{
    collections::BTreeMap,
    env,
    fmt::Write as _,
    fs, io,
    path::{Path, PathBuf},
};

/// Endings of the compressed copies that the build of the pages writes beside a file.
const COPIES: [&str; 2] = [".br", ".gz"];

fn main() -> io::Result<()> {
    let variable = |name| env::var_os(name).map(PathBuf::from).ok_or(io::ErrorKind::NotFound);
    let dist = variable("CARGO_MANIFEST_DIR")?.join("../../web/dist");
    let out = variable("OUT_DIR")?;
    // Cargo takes a path that is missing for one that changed, and would build this anew each time.
    let _ = fs::create_dir_all(&dist);
    println!("cargo:rerun-if-changed=../../web/dist");
    let mut found = BTreeMap::new();
    walk(&dist, "", &mut found)?;
    let copies = out.join("files");
    let _ = fs::remove_dir_all(&copies);
    fs::create_dir_all(&copies)?;
    let mut table = String::from("&[\n");
    // Names are counted, so that a build of the pages at the same time can't pull a file away from the compiler.
    for (number, (path, file)) in found.iter().enumerate() {
        if COPIES.iter().any(|end| path.strip_suffix(end).is_some_and(|of| found.contains_key(of))) {
            continue;
        }
        let plain = held(&copies, file, &format!("{number}"))?;
        let mut packed = Vec::new();
        for end in COPIES {
            let copy = found.get(&format!("{path}{end}"));
            packed.push(match copy {
                Some(copy) => format!("Some({})", held(&copies, copy, &format!("{number}{end}"))?),
                None => "None".to_owned(),
            });
        }
        let packed = packed.join(", gzip: ");
        let _ = writeln!(table, "    File {{ path: {path:?}, plain: {plain}, br: {packed} }},");
    }
    table.push(']');
    fs::write(out.join("files.rs"), table)
}

/// Copies a file to where the compiler reads it; gives the expression for its bytes.
fn held(copies: &Path, file: &Path, name: &str) -> io::Result<String> {
    let to = copies.join(name);
    fs::copy(file, &to)?;
    Ok(format!("include_bytes!({to:?})"))
}

/// All files below a folder, by path with a slash in front.
fn walk(folder: &Path, at: &str, found: &mut BTreeMap<String, PathBuf>) -> io::Result<()> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    for entry in entries {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        let path = format!("{at}/{name}");
        let kind = entry.file_type()?;
        if kind.is_dir() {
            walk(&entry.path(), &path, found)?;
        } else if kind.is_file() && !name.starts_with('.') {
            found.insert(path, entry.path());
        }
    }
    Ok(())
}
