//! What happens in the town, step by step, and what each step proves.

use super::clips::{self, H264, MJPEG, Recipe};
use super::people::{Person, Server, field};
use crate::shell::{Fail, Workspace, make_folder, write};
use serde_json::{Value, json};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The town as it stands at the end.
pub struct Town {
    server: Server,
    _witness: Server,
    public: String,
    desk: String,
    request: String,
    region: String,
    bundle: PathBuf,
    people: Vec<(&'static str, PathBuf)>,
    offer: PathBuf,
}

impl Town {
    /// Leaves the server up until the person stops it.
    pub fn stay(mut self) -> Result<(), Fail> {
        println!("\nThe server stays up. Ctrl-C stops it.");
        self.server.wait();
        Err(Fail::new(format!("the server ended; its log is {}", self.server.log.display())))
    }
}

/// Counts the steps aloud.
struct Voice(u32);

impl Voice {
    fn step(&mut self, what: &str) {
        self.0 += 1;
        println!("\n{:>3}  {what}", self.0);
    }

    fn proved(&self, what: &str) {
        println!("      ✓ {what}");
    }
}

fn free_port() -> Result<u16, Fail> {
    let listener = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    listener
        .map(|address| address.port())
        .map_err(|error| Fail::new(format!("no free port on loopback: {error}")))
}

fn square(longitude: f64, latitude: f64, side: f64) -> String {
    let (east, north) = (longitude + side, latitude + side);
    json!({ "type": "Polygon", "coordinates": [[[longitude, latitude], [east, latitude], [east, north], [longitude, north], [longitude, latitude]]] }).to_string()
}

fn moment(seconds: i64) -> Result<String, Fail> {
    let mut command = std::process::Command::new("date");
    let text =
        crate::shell::output(command.args(["-u", "-d", &format!("@{seconds}"), "+%Y-%m-%dT%H:%M:%SZ"]))?;
    Ok(text.trim().to_owned())
}

fn now() -> i64 {
    #[expect(clippy::disallowed_methods, reason = "the demo happens now")]
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.map(|passed| i64::try_from(passed.as_secs()).unwrap_or_default()).unwrap_or_default()
}

/// An agency with its people.
struct Agency<'a> {
    id: String,
    administrator: Person<'a>,
    investigator: Person<'a>,
    supervisor: Person<'a>,
}

/// What all of the story needs.
struct Stage<'a> {
    workspace: &'a Workspace,
    executable: &'a Path,
    folder: &'a Path,
    desk: String,
    public: String,
}

impl<'a> Stage<'a> {
    fn person(&self, name: &str, server: &str) -> Result<Person<'a>, Fail> {
        Person::new(self.workspace, self.executable, self.folder, name, server)
    }

    /// Adds a member, with a token and, for agencies, an age identity of their own.
    fn member(
        &self,
        by: &Person<'_>,
        name: &str,
        role: &str,
        agency: Option<&str>,
    ) -> Result<Person<'a>, Fail> {
        let place = match agency {
            Some(id) => vec!["--agency", id],
            None => vec!["--no-agency"],
        };
        let member =
            by.asks(&[&["member", "add", "--name", name, "--role", role], place.as_slice()].concat())?;
        let id = field(&member, "/id")?;
        let token = by.asks(&["member", "token", &id, "--label", "demo", "--days", "30"])?;
        let person = self.person(&name.to_lowercase().replace(' ', "-"), &self.desk)?;
        person.signs_in_with(&field(&token, "/token")?)?;
        if agency.is_some() {
            person.text(&["keygen", "--out", "keyring/identity.txt"])?;
            person.text(&["member", "recipient"])?;
        }
        Ok(person)
    }

    /// Registers and verifies an agency that has made its keys.
    fn agency(
        &self,
        operator: &Person<'_>,
        name: &str,
        class: &str,
        area: &str,
        people: [&str; 3],
    ) -> Result<Agency<'a>, Fail> {
        let file = self.folder.join(format!("{class}.geojson"));
        write(&file, area)?;
        let file = file.display().to_string();
        let agency = operator.asks(&[
            "agency",
            "register",
            "--name",
            name,
            "--class",
            class,
            "--subdivision",
            "US-NH",
            "--area",
            &file,
        ])?;
        let id = field(&agency, "/id")?;
        let [administrator, investigator, supervisor] = people;
        let administrator = self.member(operator, administrator, "administrator", Some(&id))?;
        let investigator = self.member(&administrator, investigator, "investigator", Some(&id))?;
        let supervisor = self.member(&administrator, supervisor, "supervisor", Some(&id))?;
        let key = investigator.asks(&["agency", "key", "new"])?;
        operator.text(&["agency", "verify", &id, "--public", &field(&key, "/public")?])?;
        let safe = administrator.home.join("recovery-for-the-safe.txt").display().to_string();
        let recovery = administrator.asks(&["agency", "recovery", "new", "--out", &safe])?;
        administrator.text(&["agency", "recovery", "set", &field(&recovery, "/recipient")?])?;
        Ok(Agency { id, administrator, investigator, supervisor })
    }

    /// Drafts, keys, signs and submits a request.
    fn request(&self, by: &Person<'_>, draft: &Value) -> Result<String, Fail> {
        let file = by.home.join("draft.json");
        write(&file, &draft.to_string())?;
        let request = by.asks(&["request", "draft", "--file", "draft.json"])?;
        let id = field(&request, "/id")?;
        by.text(&["agency", "request-key", &id])?;
        by.text(&["request", "submit", &id, "--yes"])?;
        Ok(id)
    }
}

fn draft(code: &str, incident: &str, details: &str, area: &str, frame: [i64; 2]) -> Result<Value, Fail> {
    let area: Value = serde_json::from_str(area).map_err(|error| Fail::new(error.to_string()))?;
    Ok(json!({
        "code": code, "incident": incident, "details": details, "area": area,
        "contact": { "name": "Det. R. Alvarez", "phone": "+1 603 555 0142" },
        "start": moment(frame[0])?, "end": moment(frame[1])?, "zone": "America/New_York", "own_case": true,
    }))
}

/// Clips of the residents: two that fit the request, one of another time.
fn film(stage: &Stage<'_>, start: i64) -> Result<[String; 3], Fail> {
    let folder = stage.folder.join("recordings");
    make_folder(&folder)?;
    let make = |name, start, seconds, picture, codec| {
        let recipe = Recipe { name, start, seconds, picture, codec };
        clips::make(stage.workspace, &folder, &recipe).map(|path| path.display().to_string())
    };
    Ok([
        make("porch-doorbell.mp4", start + 1_200, 180, "testsrc2", H264)?,
        make("garage.mkv", start + 1_500, 150, "testsrc", H264)?,
        make("shop-recorder.avi", start - 30_000, 120, "testsrc2", MJPEG)?,
    ])
}

fn wait_for(what: &str, mut ready: impl FnMut() -> bool) -> Result<(), Fail> {
    for _ in 0..300 {
        if ready() {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    Err(Fail::new(format!("{what} took longer than 30 seconds; the logs are in the folder named below")))
}

/// Plays the whole of it.
#[expect(clippy::too_many_lines, reason = "one story, told in order")]
pub fn tell(workspace: &Workspace, executable: &Path, folder: &Path) -> Result<Town, Fail> {
    let (desk, public, witness) = (free_port()?, free_port()?, free_port()?);
    let url = |port: u16| format!("http://127.0.0.1:{port}");
    let stage = Stage { workspace, executable, folder, desk: url(desk), public: url(public) };
    let mut voice = Voice(0);
    println!("A small town on one machine. Everybody below runs the same executable with keys of their own.");

    voice.step("The operator sets up Canvass and starts it.");
    let operator = stage.person("operator", &stage.desk)?;
    let first = operator.asks(&["init", "--data", "data", "--operator", "Olive Operator"])?;
    operator.signs_in_with(&field(&first, "/token")?)?;
    let serve = |log: &str, more: &[&str]| {
        let (desk, public) = (format!("127.0.0.1:{desk}"), format!("127.0.0.1:{public}"));
        let name = "demo.canvass.example";
        let args = [
            "serve",
            "--data",
            "data",
            "--listen",
            &desk,
            "--public-listen",
            &public,
            "--public-url",
            &stage.public,
            "--name",
            name,
        ];
        let mut server = operator.starts(&[&args, more].concat(), log)?;
        wait_for("starting the server", || operator.text(&["agency", "list"]).is_ok() || !server.runs())?;
        if server.runs() {
            Ok(server)
        } else {
            Err(Fail::new(format!("the server ended at once; see {}", server.log.display())))
        }
    };
    drop(serve("server-first.log", &[])?);
    let witness = start_witness(&stage, witness)?;
    let server = serve("server.log", &["--witness", &witness.1])?;
    voice.proved("one process, nothing else installed; the public part holds no database and no key");

    voice.step("Two agencies come; each makes its keys on its own machines.");
    let police = stage.agency(
        &operator,
        "Concord Police Department",
        "municipal",
        &square(-71.70, 43.10, 0.30),
        ["Ada Admin", "Ines Investigator", "Sam Supervisor"],
    )?;
    let sheriff = stage.agency(
        &operator,
        "Merrimack County Sheriff",
        "county",
        &square(-72.00, 42.90, 0.80),
        ["Bea Admin", "Ivo Investigator", "Sol Supervisor"],
    )?;
    let moderator = stage.member(&operator, "Mo Moderator", "moderator", None)?;
    let overseer = stage.member(&operator, "Oona Overseer", "overseer", None)?;
    let second = stage.member(&operator, "Otto Operator", "operator", None)?;
    voice.proved("signing keys are entries of the public ledger; private keys were never sent");

    let day = now() - 20 * 3_600;
    let frame = [day, day + 7_200];
    let requests = ask(&stage, &mut voice, &police, &sheriff, &moderator, frame)?;
    let [porch, garage, shop] = film(&stage, day)?;
    let region = look(&stage, &mut voice, &requests[0])?;
    let resident = give(&stage, &mut voice, &requests[0], &[&porch, &garage, &shop])?;
    regret(&stage, &mut voice, &requests[1], &shop)?;
    let case = receive(&mut voice, &police, &requests[0], &resident)?;
    let bundle = export(&stage, &mut voice, &police, &case)?;
    hidden(&mut voice, &sheriff, &case)?;
    share(&mut voice, &police, &sheriff, &case)?;
    change_limits(&stage, &mut voice, &operator, &second)?;
    oversee(&stage, &mut voice, &overseer, &operator)?;
    Ok(Town {
        server,
        _witness: witness.0,
        public: stage.public,
        desk: stage.desk,
        request: requests[0].clone(),
        region,
        bundle,
        people: [
            ("investigator", police.investigator),
            ("supervisor", police.supervisor),
            ("administrator", police.administrator),
            ("other agency", sheriff.investigator),
            ("moderator", moderator),
            ("overseer", overseer),
            ("operator", operator),
            ("2nd operator", second),
        ]
        .map(|(who, person)| (who, person.home))
        .into(),
        offer: folder.join("rosa"),
    })
}

/// Somebody else's witness, which will cosign both ledgers.
fn start_witness(stage: &Stage<'_>, port: u16) -> Result<(Server, String), Fail> {
    let library = stage.person("library", &stage.public)?;
    let key =
        library.asks(&["witness", "keygen", "--name", "library.example/witness", "--out", "witness.key"])?;
    let operator = stage.folder.join("operator/data/public/ledger/keys.json");
    let keys: Value = serde_json::from_str(&crate::shell::read(&operator)?)
        .map_err(|error| Fail::new(error.to_string()))?;
    let log = |name: &str| {
        Ok::<_, Fail>(format!(
            "{}={}",
            field(&keys, &format!("/logs/{name}/origin"))?,
            field(&keys, &format!("/logs/{name}/vkey"))?
        ))
    };
    let listen = format!("127.0.0.1:{port}");
    let args = [
        "witness",
        "serve",
        "--listen",
        &listen,
        "--key",
        "witness.key",
        "--log",
        &log("requests")?,
        "--log",
        &log("oversight")?,
        "--state",
        "witness.json",
    ];
    let server = library.starts(&args, "witness.log")?;
    Ok((server, format!("http://{listen}={}", field(&key, "/vkey")?)))
}

fn ask(
    stage: &Stage<'_>,
    voice: &mut Voice,
    police: &Agency<'_>,
    sheriff: &Agency<'_>,
    moderator: &Person<'_>,
    frame: [i64; 2],
) -> Result<[String; 3], Fail> {
    voice.step("The agencies ask: three requests, each signed by its agency and waiting for a moderator.");
    let elm = square(-71.545, 43.205, 0.008);
    let burglary = draft(
        "26-004512",
        "burglary",
        "A garage on Elm Street was broken into and two bicycles were taken. We look for a white van that stopped there and left eastwards.",
        &elm,
        frame,
    )?;
    let collision = draft(
        "SO-26-118",
        "collision",
        "A grey pickup truck hit a parked car on Route 3 and left. We look for footage of a truck with a broken right headlight.",
        &square(-71.60, 43.15, 0.009),
        frame,
    )?;
    let protest = draft(
        "26-004600",
        "other",
        "We look for footage of everyone who took part in the protest march and rally at the State House on Saturday.",
        &square(-71.540, 43.206, 0.006),
        frame,
    )?;
    let mut too_wide = burglary.clone();
    if let Some(area) = too_wide.get_mut("area") {
        *area = serde_json::from_str(&square(-71.60, 43.15, 0.05)).unwrap_or_default();
    }
    write(&police.investigator.home.join("wide.json"), &too_wide.to_string())?;
    let words = police
        .investigator
        .text(&["request", "check", "--file", "wide.json"])
        .unwrap_or_else(|fail| fail.to_string());
    let said = words
        .lines()
        .find(|line| line.contains("sq mi") || line.contains("square mile"))
        .unwrap_or("")
        .trim()
        .to_owned();
    voice.proved(&format!("an area beyond the limit is refused while drafting: {said}"));
    let ids = [
        stage.request(&police.investigator, &burglary)?,
        stage.request(&sheriff.investigator, &collision)?,
        stage.request(&police.investigator, &protest)?,
    ];
    moderator.shows(&["moderate", "list"])?;
    voice.step("The moderator, of no agency, approves two and refuses one, with public reasons.");
    moderator.text(&[
        "moderate",
        "approve",
        &ids[0],
        "--reason",
        "One street, two hours, a clear matter.",
    ])?;
    moderator.text(&[
        "moderate",
        "approve",
        &ids[1],
        "--reason",
        "One crossing, two hours, a clear matter.",
    ])?;
    moderator.text(&[
        "moderate",
        "refuse",
        &ids[2],
        "--rule",
        "assembly",
        "--reason",
        "It asks for people at a lawful assembly.",
    ])?;
    voice.proved("decisions are entries of the public ledger; a published request can't be changed");
    Ok(ids)
}

fn look(stage: &Stage<'_>, voice: &mut Voice, request: &str) -> Result<String, Fail> {
    voice.step(
        "A resident looks: no account, the whole region is fetched, every proof is checked on their side.",
    );
    let neighbour = stage.person("neighbour", &stage.public)?;
    let at = ["requests", "list", "--at", "43.2081,-71.5376"];
    wait_for("publishing", || neighbour.text(&at).is_ok_and(|text| text.contains(request)))?;
    neighbour.shows(&at)?;
    let listed = neighbour.asks(&at)?;
    let region = field(&listed, "/region").unwrap_or_default();
    voice.proved(
        "agency signature, moderation and ledger proofs hold; the server can't tell who looked at what",
    );
    Ok(region)
}

/// The resident who gives, and the name of their offer.
struct Giver<'a> {
    person: Person<'a>,
    offer: String,
}

fn give<'a>(stage: &Stage<'a>, voice: &mut Voice, request: &str, clips: &[&str]) -> Result<Giver<'a>, Fail> {
    voice.step("Rosa has footage. She seals three clips on her own machine.");
    let rosa = stage.person("rosa", &stage.public)?;
    let seal = [&["seal", "--request", request, "--out", "offer", "--yes"], clips].concat();
    let words = rosa.is_refused(&seal)?;
    voice.proved(&format!(
        "a clip of another time is named first: {}",
        words.lines().find(|line| line.contains("outside")).unwrap_or(&words).trim()
    ));
    rosa.shows(&[seal.as_slice(), &["--include-outside"]].concat())?;
    voice.step("She uploads them, resumably, and gets a receipt.");
    rosa.shows(&["give", "offer"])?;
    rosa.shows(&["verify", "receipt", "offer.receipt.json", "--envelope", "offer.age"])?;
    voice.proved("the receipt is signed and proves, offline, that the ledger holds her offer");
    let receipt: Value = serde_json::from_str(&crate::shell::read(&rosa.home.join("offer.receipt.json"))?)
        .map_err(|error| Fail::new(error.to_string()))?;
    Ok(Giver { person: rosa, offer: field(&receipt, "/offer")? })
}

fn regret(stage: &Stage<'_>, voice: &mut Voice, request: &str, clip: &str) -> Result<(), Fail> {
    voice.step("Theo sends a clip to the sheriff, and takes it back before it is opened.");
    let theo = stage.person("theo", &stage.public)?;
    theo.text(&["seal", "--request", request, "--out", "mine", "--yes", "--include-outside", clip])?;
    theo.text(&["give", "mine"])?;
    theo.text(&["offer", "withdraw", "--offer", "mine.offer.json", "--yes"])?;
    wait_for("the withdrawal", || {
        theo.text(&["offer", "status", "--offer", "mine.offer.json"])
            .is_ok_and(|text| text.contains("withdrawn") || text.contains("destroyed"))
    })?;
    theo.shows(&["offer", "status", "--offer", "mine.offer.json"])?;
    voice.proved("the sealed bytes are destroyed at once, and the ledger says so");
    Ok(())
}

fn receive(voice: &mut Voice, police: &Agency<'_>, request: &str, giver: &Giver<'_>) -> Result<String, Fail> {
    let (ines, offer) = (&police.investigator, giver.offer.as_str());
    voice.step("The agency rehearses: would a lost key lose evidence?");
    police.administrator.text(&["agency", "show"])?;
    let safe = police.administrator.home.join("recovery-for-the-safe.txt").display().to_string();
    police.supervisor.shows(&["agency", "recover", "--rehearse", "--recovery", &safe, "--all"])?;
    voice.step(
        "Ines opens a case and the offer; each needs a reason, and the ledger has it before any byte flows.",
    );
    ines.shows(&["inbox"])?;
    let case = field(
        &ines.asks(&[
            "case",
            "create",
            "--title",
            "26-004512 Elm Street",
            "--code",
            "26-004512",
            "--destination",
            request,
        ])?,
        "/id",
    )?;
    let boilerplate = "ongoing investigation, see report";
    let words = ines.is_refused(&[
        "open",
        offer,
        "--case",
        &case,
        "--for",
        "triage",
        "--purpose",
        boilerplate,
        "--out",
        "opened",
    ])?;
    voice.proved(&format!(
        "a purpose without content is refused: {}",
        words.lines().next().unwrap_or_default()
    ));
    ines.shows(&[
        "open",
        offer,
        "--case",
        &case,
        "--for",
        "triage",
        "--purpose",
        "White van at the garage burglary on Elm Street",
        "--out",
        "opened",
    ])?;
    voice.step("She accepts two clips, declines one, and asks a question that only Rosa can read.");
    ines.shows(&["triage", offer, "accept", "1", "2", "--case", &case, "--dir", "opened"])?;
    ines.shows(&["triage", offer, "decline", "3", "--reason", "It shows another day."])?;
    ines.text(&["ask", offer, "Is the clock of the garage camera right?"])?;
    let rosa = &giver.person;
    let questions = ["offer", "questions", "--offer", "offer.offer.json"];
    wait_for("the question", || rosa.text(&questions).is_ok_and(|text| text.contains("garage camera")))?;
    rosa.text(&["offer", "answer", "--offer", "offer.offer.json", "It runs two minutes fast."])?;
    wait_for("the answer", || {
        ines.text(&["answers", offer]).is_ok_and(|text| text.contains("two minutes fast"))
    })?;
    ines.shows(&["answers", offer])?;
    rosa.shows(&["offer", "status", "--offer", "offer.offer.json"])?;
    Ok(case)
}

fn export(stage: &Stage<'_>, voice: &mut Voice, police: &Agency<'_>, case: &str) -> Result<PathBuf, Fail> {
    voice.step(
        "Sam exports the case as a court bundle; the defence checks it with one command and no network.",
    );
    let sam = &police.supervisor;
    sam.text(&["hold", "place", case, "--basis", "Discovery order in State v. Doe"])?;
    sam.shows(&[
        "export",
        case,
        "--for",
        "disclosure",
        "--purpose",
        "Defence counsel of Doe asked for the Elm Street clips",
        "--out",
        "bundle",
    ])?;
    let bundle = sam.home.join("bundle");
    let defence = stage.person("defence", "http://127.0.0.1:9")?;
    let path = bundle.display().to_string();
    defence.shows(&["verify", "package", &path])?;
    voice.proved("originals, requests, consent, custody and ledger proofs all hold");
    let copy = defence.home.join("altered");
    crate::shell::run(std::process::Command::new("cp").arg("-r").arg(&bundle).arg(&copy))?;
    let custody = first_file(&copy.join("data/custody"), "csv")?;
    let text = crate::shell::read(&custody)?;
    write(&custody, &text.replacen("accepted", "acceptod", 1))?;
    let words = defence.is_refused(&["verify", "package", &copy.display().to_string()])?;
    voice.proved(&format!(
        "one letter changed in a copy is found: {}",
        words.lines().find(|line| line.contains("custody")).unwrap_or(&words).trim()
    ));
    Ok(bundle)
}

fn first_file(folder: &Path, ending: &str) -> Result<PathBuf, Fail> {
    let found = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut found: Vec<PathBuf> =
        found.filter(|path| path.extension().is_some_and(|each| each == ending)).collect();
    found.sort();
    found.into_iter().next().ok_or_else(|| Fail::new(format!("no .{ending} in {}", folder.display())))
}

fn hidden(voice: &mut Voice, sheriff: &Agency<'_>, case: &str) -> Result<(), Fail> {
    voice.step("The other agency looks for the case, and finds nothing.");
    let words = sheriff.investigator.is_refused(&["case", "show", case])?;
    voice.proved(&format!(
        "to agency {} it does not exist: {}",
        sheriff.id.get(..8).unwrap_or_default(),
        words.lines().next().unwrap_or_default()
    ));
    Ok(())
}

/// Two of each agency share the case; one person ends it.
fn share(voice: &mut Voice, police: &Agency<'_>, sheriff: &Agency<'_>, case: &str) -> Result<(), Fail> {
    voice.step("Two of the police share the case with the sheriff, two of the sheriff accept; one of the police ends it.");
    let why = ["--reason", "Joint work on the burglaries along the river."];
    let until = moment(now() + 30 * 86_400)?;
    let offer = ["share", "offer", "--case", case, "--with", &sheriff.id, "--until", &until];
    let offer = field(&police.supervisor.asks(&[&offer[..], &why].concat())?, "/id")?;
    police.supervisor.is_refused(&["proposal", "approve", &offer])?;
    police.administrator.text(&["proposal", "approve", &offer])?;
    let rule = field(&sheriff.supervisor.asks(&["share", "list"])?, "/0/rule/id")?;
    let accept = sheriff.supervisor.asks(&[&["share", "accept", &rule][..], &why].concat())?;
    sheriff.administrator.text(&["proposal", "approve", &field(&accept, "/id")?])?;
    sheriff.investigator.text(&["case", "show", case])?;
    police.supervisor.text(&["share", "end", &rule, "--reason", "The joint work is done."])?;
    sheriff.investigator.is_refused(&["case", "show", case])?;
    voice.proved(
        "nobody shares alone; the other agency saw the case, opened nothing of it, and sees it no more",
    );
    Ok(())
}

/// One operator proposes a limit, another approves it.
fn change_limits(
    stage: &Stage<'_>,
    voice: &mut Voice,
    operator: &Person<'_>,
    second: &Person<'_>,
) -> Result<(), Fail> {
    voice.step("One operator proposes another retention; the other sees what changes and approves.");
    let mut policy = operator.asks(&["policy", "show"])?;
    if let Some(days) = policy.pointer_mut("/retention/token_days") {
        *days = 31.into();
    }
    let file = stage.folder.join("limits.json");
    write(&file, &policy.to_string())?;
    let file = file.display().to_string();
    let why = ["--reason", "The council wants ended tokens kept for a month of 31 days."];
    let proposal = operator.asks(&[&["policy", "propose", "--limits", &file][..], &why].concat())?;
    let id = field(&proposal, "/id")?;
    let words = operator.is_refused(&["proposal", "approve", &id])?;
    voice.proved(words.lines().next().unwrap_or_default());
    second.text(&["proposal", "show", &id])?;
    second.text(&["proposal", "approve", &id])?;
    voice.proved("two people, and the new digest stands in the requests ledger");
    Ok(())
}

fn oversee(
    stage: &Stage<'_>,
    voice: &mut Voice,
    overseer: &Person<'_>,
    operator: &Person<'_>,
) -> Result<(), Fail> {
    voice.step("The overseer sees what was done, by whom and why; a stranger verifies both ledgers from the first entry.");
    overseer.text(&["audit"])?;
    let refused = overseer.text(&["audit", "--action", "access.refused"])?;
    voice.proved(&format!(
        "so does the refused purpose stand on record: {}",
        refused.lines().next().unwrap_or_default()
    ));
    let stranger = stage.person("stranger", &stage.public)?;
    stranger.shows(&["verify", "ledger", &stage.public])?;
    voice.proved("every root, signature, decision and request holds; the checkpoint is remembered, so a rollback or fork would be found");
    voice.step("The operator's data is walked from end to end.");
    operator.shows(&["check", "--data", "data"])
}

/// Prints where to look.
pub fn farewell(town: &Town, ended: bool) {
    println!(
        "\nDone. {}",
        if ended { "The server stops now. While it ran, one could open:" } else { "Open:" }
    );
    println!("  resident {}/r/{}#{}", town.public, town.region, town.request);
    println!("           {}/   {}/ledger   {}/check", town.public, town.public, town.public);
    println!("           {}/offer   with the files in {}", town.public, town.offer.display());
    // Passkeys need a name: an address in numbers carries none.
    let desk = town.desk.replace("127.0.0.1", "localhost");
    println!(
        "  desk     {desk}/desk/   one token signs one person in, who can then add a passkey (their name, below left):"
    );
    for (who, home) in &town.people {
        let token = crate::shell::read(&home.join("token")).unwrap_or_default();
        println!("           {who:<14}{}  (keys in {})", token.trim(), home.join("keyring").display());
    }
    println!("  files    {}/requests/{}.json", town.public, town.request);
    println!("           {}/feed/{}.json  (.geojson .atom)", town.public, town.region);
    println!("           {}/ledger/requests/checkpoint", town.public);
    println!("  api      {}/api/v1/openapi.json  {}/healthz  {}/metrics", town.desk, town.desk, town.desk);
    println!("  bundle   {}", town.bundle.display());
}
