//! Running other programs, and where things are.

use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A failure in words: what went wrong and what to do next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fail(String);

impl Fail {
    /// A failure with this message.
    pub fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }

    /// A failure of which everything has been said already.
    pub fn told() -> Self {
        Self(String::new())
    }

    /// Whether there is nothing left to say.
    pub fn is_told(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Fail {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// The checkout that this run works on.
#[derive(Debug)]
pub struct Workspace {
    root: PathBuf,
    cache: PathBuf,
}

impl Workspace {
    /// Finds the checkout from where cargo says xtask lies, otherwise from the current folder upwards.
    ///
    /// `CANVASS_CACHE` moves the folder of installed tools away from `.cache`, so that several
    /// checkouts can share one.
    pub fn find() -> Result<Self, Fail> {
        let start = match std::env::var_os("CARGO_MANIFEST_DIR") {
            Some(folder) => PathBuf::from(folder),
            None => std::env::current_dir().map_err(|error| {
                Fail::new(format!("the current folder can't be read ({error}); change to the checkout"))
            })?,
        };
        let root = start
            .ancestors()
            .find(|folder| folder.join("Cargo.lock").is_file() && folder.join("xtask").is_dir())
            .ok_or_else(|| Fail::new("no checkout of Canvass here; run `cargo xtask` inside one"))?
            .to_path_buf();
        let cache = match std::env::var_os("CANVASS_CACHE") {
            Some(folder) if !folder.is_empty() => PathBuf::from(folder),
            _ => root.join(".cache"),
        };
        Ok(Self { root, cache })
    }

    /// The root folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// A path below the root.
    pub fn path(&self, relative: &str) -> PathBuf {
        self.root.join(relative)
    }

    /// A path below the folder of installed tools.
    pub fn cache(&self, relative: &str) -> PathBuf {
        self.cache.join(relative)
    }

    /// A command that runs in the root, with no input, without what `cargo run` told xtask about
    /// itself, and with the installed tools where the tests look for them.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.root).stdin(Stdio::null());
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if text.starts_with("CARGO_PKG_")
                || text.starts_with("CARGO_MANIFEST_")
                || text.starts_with("CARGO_BIN_")
            {
                command.env_remove(&name);
            }
        }
        command.env("CANVASS_PYTHON", self.cache("venv/bin/python"));
        command.env("CANVASS_NODE_MODULES", self.cache("node/node_modules"));
        if std::env::var_os("CANVASS_MODELS").is_none() {
            command.env("CANVASS_MODELS", self.cache("models"));
        }
        command.env("PATH", self.search_path());
        command
    }

    /// Runs cargo in the root and shows its output.
    pub fn cargo(&self, args: &[&str]) -> Result<(), Fail> {
        run(self.command("cargo").args(args))
    }

    /// Where cargo puts what it builds.
    pub fn target(&self) -> Result<PathBuf, Fail> {
        let metadata = self.metadata()?;
        metadata
            .get("target_directory")
            .and_then(serde_json::Value::as_str)
            .map(PathBuf::from)
            .ok_or_else(|| Fail::new("`cargo metadata` names no target_directory; is cargo older than rust-version in Cargo.toml?"))
    }

    /// The members of the workspace, as `cargo metadata` describes them.
    pub fn metadata(&self) -> Result<serde_json::Value, Fail> {
        let text = output(self.command("cargo").args(["metadata", "--format-version", "1", "--no-deps"]))?;
        serde_json::from_str(&text)
            .map_err(|error| Fail::new(format!("`cargo metadata` did not print JSON ({error})")))
    }

    /// Whether a program is there: installed by `setup`, on the path, or in a system folder that
    /// people who aren't root often lack on theirs.
    pub fn has(&self, program: &str) -> bool {
        std::env::split_paths(&self.search_path()).any(|folder| folder.join(program).is_file())
    }

    fn search_path(&self) -> std::ffi::OsString {
        let old = std::env::var_os("PATH").unwrap_or_default();
        let mut folders = vec![self.cache("cargo/bin")];
        folders.extend(std::env::split_paths(&old));
        for system in ["/usr/local/sbin", "/usr/sbin", "/sbin"] {
            if !folders.iter().any(|folder| folder == Path::new(system)) {
                folders.push(PathBuf::from(system));
            }
        }
        // Fails only when a folder's name holds the separator; the old path is then better than none.
        std::env::join_paths(folders).unwrap_or(old)
    }
}

/// A command as a person would type it.
pub fn shown(command: &Command) -> String {
    let mut words = vec![command.get_program().to_string_lossy().into_owned()];
    words.extend(command.get_args().map(|word| word.to_string_lossy().into_owned()));
    words.join(" ")
}

/// Runs a command to its end, its output going to the terminal.
pub fn run(command: &mut Command) -> Result<(), Fail> {
    let name = shown(command);
    let status = command.status().map_err(|error| not_started(&name, &error))?;
    if status.success() {
        Ok(())
    } else {
        Err(Fail::new(format!("`{name}` failed ({status}); its output is above")))
    }
}

/// Runs a command and returns what it printed; its errors go to the terminal.
pub fn output(command: &mut Command) -> Result<String, Fail> {
    let name = shown(command);
    let done = command.stderr(Stdio::inherit()).output().map_err(|error| not_started(&name, &error))?;
    if !done.status.success() {
        return Err(Fail::new(format!("`{name}` failed ({}); its output is above", done.status)));
    }
    String::from_utf8(done.stdout)
        .map_err(|_| Fail::new(format!("`{name}` printed something that is not UTF-8")))
}

/// Whether a command ends well; what it prints is dropped.
pub fn succeeds(command: &mut Command) -> bool {
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

fn not_started(name: &str, error: &std::io::Error) -> Fail {
    Fail::new(format!("`{name}` could not be started ({error}); is it installed? `cargo xtask setup` says"))
}

/// Reads a text file.
pub fn read(path: &Path) -> Result<String, Fail> {
    fs::read_to_string(path).map_err(|error| Fail::new(format!("{} can't be read ({error})", path.display())))
}

/// Writes a text file, making its folder.
pub fn write(path: &Path, text: &str) -> Result<(), Fail> {
    if let Some(folder) = path.parent() {
        make_folder(folder)?;
    }
    fs::write(path, text).map_err(|error| {
        Fail::new(format!(
            "{} can't be written ({error}); check the disk and its permissions",
            path.display()
        ))
    })
}

/// Makes a folder and those above it.
pub fn make_folder(path: &Path) -> Result<(), Fail> {
    fs::create_dir_all(path).map_err(|error| {
        Fail::new(format!("the folder {} can't be made ({error}); check its permissions", path.display()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_command_names_itself() {
        let fail = run(&mut Command::new("false")).unwrap_err();
        assert!(fail.to_string().contains("`false` failed"), "{fail}");
    }

    #[test]
    fn a_missing_command_names_the_remedy() {
        let fail = run(&mut Command::new("no-such-program-of-ours")).unwrap_err();
        assert!(fail.to_string().contains("cargo xtask setup"), "{fail}");
    }

    #[test]
    fn a_command_is_shown_as_typed() {
        assert_eq!(shown(Command::new("cargo").args(["fmt", "--all"])), "cargo fmt --all");
    }
}
