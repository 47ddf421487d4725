//! A Canvass on this machine with its witness, one agency and a few people; each has a folder, keys and a memory of
//! their own.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

/// Someone with a folder, keys, a token and remembered checkpoints of their own.
pub struct Person {
    pub home: PathBuf,
    pub server: String,
    pub id: String,
}

/// How a command ended.
pub struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Said {
    #[track_caller]
    pub fn refused(self, code: i32, words: &[&str]) -> Self {
        let all = format!("{}{}", self.out, self.err);
        assert_eq!(self.code, code, "{all}");
        assert!(!all.contains("panicked"), "{all}");
        for word in words {
            assert!(all.contains(word), "{word:?} is not in:\n{all}");
        }
        self
    }
}

impl Person {
    pub fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_canvass"));
        command
            .current_dir(&self.home)
            .env("CANVASS_SERVER", &self.server)
            .env("CANVASS_STATE", self.home.join("state"))
            .env("CANVASS_KEYRING", self.home.join("keyring"))
            .env_remove("CANVASS_TOKEN")
            .env_remove("CANVASS_TOKEN_FILE")
            .stdin(Stdio::null());
        if self.home.join("token").is_file() {
            command.env("CANVASS_TOKEN_FILE", self.home.join("token"));
        }
        command
    }

    pub fn run(&self, args: &[&str]) -> Said {
        let output = self.command().args(args).output().unwrap();
        Said {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    #[track_caller]
    pub fn ok(&self, args: &[&str]) -> String {
        let said = self.run(args);
        assert_eq!(said.code, 0, "canvass {}\n{}{}", args.join(" "), said.out, said.err);
        said.out
    }

    #[track_caller]
    pub fn json(&self, args: &[&str]) -> Value {
        let out = self.ok(&[&["--json"], args].concat());
        serde_json::from_str(&out).unwrap_or_else(|error| panic!("{args:?}: {error}\n{out}"))
    }

    #[track_caller]
    pub fn refused(&self, args: &[&str], code: i32, words: &[&str]) -> Said {
        self.run(args).refused(code, words)
    }

    pub fn path(&self, name: &str) -> String {
        self.home.join(name).display().to_string()
    }

    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        std::fs::write(self.home.join(name), bytes).unwrap();
    }
}

/// The text at a place of an answer.
#[track_caller]
pub fn text(value: &Value, pointer: &str) -> String {
    value
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_else(|| panic!("no text at {pointer} in {value}"))
        .to_owned()
}

/// Waits for what the server does by itself.
#[track_caller]
pub fn until(what: &str, mut ready: impl FnMut() -> bool) {
    #[expect(clippy::disallowed_methods, reason = "the executable under test runs in real time")]
    let now = std::time::Instant::now;
    let begun = now();
    while now().duration_since(begun) < Duration::from_secs(120) {
        if ready() {
            return;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("{what} did not come within two minutes");
}

/// A process that ends with its owner.
pub struct Process(Child);

impl Process {
    /// A process that was started.
    pub fn of(child: Child) -> Self {
        Self(child)
    }

    /// The number of the process.
    pub fn id(&self) -> u32 {
        self.0.id()
    }

    /// Asks it to stop, and waits.
    pub fn stop(mut self) {
        let asked = Command::new("kill").args(["-TERM", &self.0.id().to_string()]).status();
        for _ in 0..200 {
            if !matches!(self.0.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("the server did not stop when it was told to ({asked:?})");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

pub fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

pub struct Town {
    pub folder: TempDir,
    pub desk: u16,
    pub public: u16,
    pub witness: Option<Process>,
    pub server: Option<Process>,
    pub flags: Vec<String>,
    pub operator: Person,
    pub moderator: Person,
    pub overseer: Person,
    pub agency: String,
    pub ada: Person,
    pub ines: Person,
    pub sam: Person,
}

pub fn square(longitude: f64, latitude: f64, side: f64) -> Value {
    let (east, north) = (longitude + side, latitude + side);
    json!({ "type": "Polygon", "coordinates": [[
        [longitude, latitude], [east, latitude], [east, north], [longitude, north], [longitude, latitude],
    ]] })
}

pub fn url(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

pub fn person(folder: &Path, name: &str, server: &str) -> Person {
    let home = folder.join(name);
    std::fs::create_dir_all(home.join("keyring")).unwrap();
    Person { home, server: server.to_owned(), id: String::new() }
}

/// A member, with a token, and with an identity of their own where they belong to an agency.
pub fn member(folder: &Path, by: &Person, name: &str, roles: &[&str], agency: Option<&str>) -> Person {
    let mut args = vec!["member", "add", "--name", name];
    roles.iter().for_each(|role| args.extend(["--role", role]));
    match agency {
        Some(agency) => args.extend(["--agency", agency]),
        None => args.push("--no-agency"),
    }
    let id = text(&by.json(&args), "/id");
    let token = by.json(&["member", "token", &id, "--label", "test", "--days", "300"]);
    let mut person = person(folder, name, &by.server);
    person.write("token", text(&token, "/token"));
    person.id = id;
    if agency.is_some() {
        person.ok(&["keygen", "--out", "keyring/identity.txt"]);
        person.ok(&["member", "recipient"]);
    }
    person
}

impl Town {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let (desk, public) = (free_port(), free_port());
        let operator = person(root, "operator", &url(desk));
        operator.write("token", operator.ok(&["init", "--data", "data", "--operator", "Olive"]).trim());
        let first = start(&operator, "data", desk, public, &[]);
        let (witness, flags) = witness(root, &operator);
        first.stop();
        let server = start(&operator, "data", desk, public, &flags);
        operator.write("area.geojson", square(-71.70, 43.10, 0.30).to_string());
        let agency = text(
            &operator.json(&[
                "agency",
                "register",
                "--name",
                "Concord Police",
                "--class",
                "municipal",
                "--subdivision",
                "US-NH",
                "--area",
                "area.geojson",
            ]),
            "/id",
        );
        let ada = member(root, &operator, "Ada", &["administrator"], Some(&agency));
        let ines = member(root, &ada, "Ines", &["investigator"], Some(&agency));
        let sam = member(root, &ada, "Sam", &["supervisor"], Some(&agency));
        let key = ada.json(&["agency", "key", "new"]);
        operator.ok(&["agency", "verify", &agency, "--public", &text(&key, "/public")]);
        for one in [&ines, &sam] {
            std::fs::copy(
                ada.home.join("keyring/agency-signing.key"),
                one.home.join("keyring/agency-signing.key"),
            )
            .unwrap();
        }
        let recovery = ada.json(&["agency", "recovery", "new", "--out", "safe.txt"]);
        ada.ok(&["agency", "recovery", "set", &text(&recovery, "/recipient")]);
        let moderator = member(root, &operator, "Mo", &["moderator"], None);
        let overseer = member(root, &operator, "Oona", &["overseer"], None);
        Self {
            desk,
            public,
            witness: Some(witness),
            server: Some(server),
            flags,
            operator,
            moderator,
            overseer,
            agency,
            ada,
            ines,
            sam,
            folder,
        }
    }

    /// Someone of the public.
    pub fn resident(&self, name: &str) -> Person {
        person(self.folder.path(), name, &url(self.public))
    }

    pub fn member(&self, name: &str, roles: &[&str]) -> Person {
        member(self.folder.path(), &self.ada, name, roles, Some(&self.agency))
    }

    pub fn data(&self) -> PathBuf {
        self.operator.home.join("data")
    }

    /// Opens a portal and waits until the public can read it.
    pub fn portal(&self) -> String {
        let portal = self.sam.json(&[
            "portal",
            "open",
            "--details",
            "Send us recordings that we did not ask for. We look at each of them.",
            "--contact-name",
            "Front desk",
            "--phone",
            "603 555 0100",
        ]);
        let id = text(&portal, "/id");
        let shown = self.data().join(format!("public/portals/{id}.json"));
        until("the portal", || shown.exists());
        id
    }

    /// Seals clips, gives them, and tells the offer's id.
    pub fn give(
        &self,
        who: &Person,
        portal: &str,
        name: &str,
        clips: &[&str],
        invitation: Option<&str>,
    ) -> String {
        self.seal(who, portal, name, clips);
        let mut args = vec!["give", name];
        args.extend(invitation.iter().flat_map(|secret| ["--invitation", secret]));
        who.ok(&args);
        let receipt = std::fs::read(who.home.join(format!("{name}.receipt.json"))).unwrap();
        text(&serde_json::from_slice(&receipt).unwrap(), "/offer")
    }

    pub fn seal(&self, who: &Person, portal: &str, name: &str, clips: &[&str]) {
        for clip in clips {
            who.write(clip, format!("{clip} as {name} recorded it").repeat(2_000));
        }
        who.ok(&[&["seal", "--portal", portal, "--out", name, "--yes"], clips].concat());
    }

    /// A stranger's check of both ledgers from their first entry, against what they saw before.
    pub fn ledgers_hold(&self) {
        let stranger = self.resident("stranger");
        let url = url(self.public);
        let mut last = String::new();
        until("a cosigned ledger", || {
            let said = stranger.run(&["verify", "ledger", &url]);
            last = format!("{}{}", said.out, said.err);
            eprintln!("{last}");
            said.code == 0
        });
        let said = stranger.ok(&["verify", "ledger", &url]);
        assert!(said.contains("No defect found") && said.contains("cosigned"), "{said}");
    }
}

/// Starts a server and waits until it answers.
pub fn start(operator: &Person, data: &str, desk: u16, public: u16, flags: &[String]) -> Process {
    let mut command = operator.command();
    let log = std::fs::OpenOptions::new().create(true).append(true).open(operator.home.join("log")).unwrap();
    command.args(["serve", "--data", data, "--name", "town.example", "--log", "warn"]);
    command.args([
        "--listen",
        &format!("127.0.0.1:{desk}"),
        "--public-listen",
        &format!("127.0.0.1:{public}"),
    ]);
    command.args(["--public-url", &url(public)]).args(flags).stdout(Stdio::null()).stderr(log);
    let mut process = Process(command.spawn().unwrap());
    until("the server", || {
        let ended = process.0.try_wait().unwrap();
        let log = std::fs::read_to_string(operator.home.join("log")).unwrap();
        assert!(ended.is_none(), "the server ended: {ended:?}\n{log}");
        operator.run(&["agency", "list"]).code == 0
    });
    process
}

/// Somebody else's witness, and the flags with which the server asks for it.
fn witness(root: &Path, operator: &Person) -> (Process, Vec<String>) {
    let library = person(root, "library", "http://127.0.0.1:9");
    let key = library.json(&["witness", "keygen", "--name", "library.example/w", "--out", "witness.key"]);
    let keys = std::fs::read(operator.home.join("data/public/ledger/keys.json")).unwrap();
    let keys: Value = serde_json::from_slice(&keys).unwrap();
    let listen = format!("127.0.0.1:{}", free_port());
    let mut command = library.command();
    command.args(["witness", "serve", "--listen", &listen, "--key", "witness.key", "--state", "seen.json"]);
    for log in ["requests", "oversight"] {
        let part = |name: &str| text(&keys, &format!("/logs/{log}/{name}"));
        command.args(["--log", &format!("{}={}", part("origin"), part("vkey"))]);
    }
    let process = Process(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    let witness = format!("http://{listen}={}", text(&key, "/vkey"));
    (process, ["--witness", &witness, "--quorum", "1"].map(str::to_owned).to_vec())
}
