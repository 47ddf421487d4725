//! The people of the town: each runs the executable with a token, keys and remembered checkpoints of their own.

use crate::shell::{Fail, Workspace, make_folder, shown, write};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Someone who uses Canvass.
pub struct Person<'a> {
    workspace: &'a Workspace,
    executable: &'a Path,
    /// Folder of their own.
    pub home: PathBuf,
    server: String,
}

impl<'a> Person<'a> {
    /// Someone new, with an empty folder.
    pub fn new(
        workspace: &'a Workspace,
        executable: &'a Path,
        town: &Path,
        name: &str,
        server: &str,
    ) -> Result<Self, Fail> {
        let home = town.join(name);
        make_folder(&home.join("keyring"))?;
        Ok(Self { workspace, executable, home, server: server.to_owned() })
    }

    /// Gives them a token to sign in with.
    pub fn signs_in_with(&self, token: &str) -> Result<(), Fail> {
        write(&self.home.join("token"), token)
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = self.workspace.command(self.executable);
        command.current_dir(&self.home).args(args);
        command.env("CANVASS_SERVER", &self.server);
        command
            .env("CANVASS_KEYRING", self.home.join("keyring"))
            .env("CANVASS_STATE", self.home.join("state"));
        if self.home.join("token").is_file() {
            command.env("CANVASS_TOKEN_FILE", self.home.join("token"));
        }
        command
    }

    /// Runs a command and shows what a person would see.
    pub fn shows(&self, args: &[&str]) -> Result<(), Fail> {
        let text = self.text(args)?;
        for line in text.lines() {
            println!("      {line}");
        }
        Ok(())
    }

    /// Runs a command and gives its text back.
    pub fn text(&self, args: &[&str]) -> Result<String, Fail> {
        let mut command = self.command(args);
        let done = command.stderr(Stdio::piped()).output();
        let done =
            done.map_err(|error| Fail::new(format!("`{}` did not start: {error}", shown(&command))))?;
        let (out, err) = (String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
        if done.status.success() {
            return Ok(out.into_owned());
        }
        Err(Fail::new(format!("`{}` failed ({}):\n{out}{err}", shown(&command), done.status)))
    }

    /// Runs a command and reads its JSON.
    pub fn asks(&self, args: &[&str]) -> Result<Value, Fail> {
        let all: Vec<&str> = std::iter::once("--json").chain(args.iter().copied()).collect();
        let text = self.text(&all)?;
        serde_json::from_str(&text).map_err(|error| {
            Fail::new(format!("`canvass {}` printed no JSON ({error}):\n{text}", args.join(" ")))
        })
    }

    /// Runs a command that must fail, and gives its words back.
    pub fn is_refused(&self, args: &[&str]) -> Result<String, Fail> {
        let mut command = self.command(args);
        let done = command.output().map_err(|error| Fail::new(format!("{error}")))?;
        if done.status.success() {
            return Err(Fail::new(format!("`{}` went well, though it must not", shown(&command))));
        }
        let words = if done.stderr.is_empty() { done.stdout } else { done.stderr };
        Ok(String::from_utf8_lossy(&words).trim().to_owned())
    }

    /// Starts a server that runs until it is dropped.
    pub fn starts(&self, args: &[&str], log: &str) -> Result<Server, Fail> {
        let file = self.home.join(log);
        let log = std::fs::File::create(&file)
            .map_err(|error| Fail::new(format!("{}: {error}", file.display())))?;
        let mut command = self.command(args);
        let copy = log.try_clone().map_err(|error| Fail::new(format!("{}: {error}", file.display())))?;
        let child = command.stdout(copy).stderr(log).spawn();
        Ok(Server {
            child: child.map_err(|error| Fail::new(format!("`{}`: {error}", shown(&command))))?,
            log: file,
        })
    }
}

/// A running server.
pub struct Server {
    child: Child,
    /// What it says.
    pub log: PathBuf,
}

impl Server {
    /// Whether it still runs.
    pub fn runs(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Waits until it ends.
    pub fn wait(&mut self) {
        let _ = self.child.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let id = self.child.id().to_string();
        // Asked first, so that it finishes what it is at.
        let _ = Command::new("kill").args(["-TERM", &id]).status();
        for _ in 0..100 {
            if !self.runs() {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A text field of an answer.
pub fn field(value: &Value, path: &str) -> Result<String, Fail> {
    let found = value.pointer(path).and_then(Value::as_str);
    found.map(str::to_owned).ok_or_else(|| Fail::new(format!("no text at {path} in {value}")))
}
