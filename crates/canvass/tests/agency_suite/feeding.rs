//! Reads of other makers, fed by the real executable into a real server: tables that are cut short by a kill, and a Frigate
//! that speaks over a real broker and over HTTP.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::{Value, json};

use crate::{reads::Street, town::*};

/// A machine with the token of one camera.
fn machine(street: &Street, camera: usize) -> Person {
    let machine = person(street.folder.path(), &format!("machine-{camera}"), &url(street.desk));
    machine.write("token", &street.tokens[camera]);
    machine
}

fn stored(street: &Street) -> u64 {
    street.operator.json(&["check", "--data", "data"])["reads"].as_u64().unwrap()
}

fn spawn(person: &Person, args: &[&str]) -> Process {
    let log = std::fs::OpenOptions::new().create(true).append(true).open(person.home.join("log")).unwrap();
    Process::of(person.command().args(args).stdout(Stdio::null()).stderr(log).spawn().unwrap())
}

fn seconds() -> f64 {
    #[expect(clippy::disallowed_methods, reason = "the executable under test runs in real time")]
    let now = jiff::Timestamp::now();
    now.as_millisecond() as f64 / 1_000.0
}

const MAP: [&str; 2] = ["--map", "plate=Plate,time=Seen,confidence=Score"];

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_is_killed_and_run_again_doubles_nothing() {
    const ROWS: u64 = 9_000;
    const TRIES: usize = 4;
    let mut street = Street::new(TRIES);
    let (mut before, mut halfway) = (0, false);
    for camera in 0..TRIES {
        let machine = machine(&street, camera);
        let mut table = String::from("Plate,Seen,Score\n");
        let at = seconds() as u64;
        (0..ROWS).for_each(|row| table.push_str(&format!("K{camera}{row:05},{},90\n", at - row % 600)));
        machine.write("reads.csv", table);
        let args = [&["camera", "import", "reads.csv"][..], &MAP, &["--time-format", "unix"]].concat();
        let import = spawn(&machine, &args);
        tokio::time::sleep(Duration::from_millis(60 << camera)).await;
        // SIGKILL, on drop.
        drop(import);
        let again = machine.json(&args);
        assert_eq!((&again["rows"], &again["refused"]), (&json!(ROWS), &json!(0)), "{again}");
        let there = again["duplicates"].as_u64().unwrap();
        assert_eq!(again["stored"].as_u64().unwrap() + there, ROWS, "{again}");
        before += ROWS;
        if there > 0 && there < ROWS {
            halfway = true;
            break;
        }
    }
    assert!(halfway, "no try was killed halfway");
    assert_eq!(stored(&street), before, "each row once");
    street.stop();
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_rows_are_named_by_number_and_kept_out_or_hold_all_back() {
    let mut street = Street::new(1);
    let machine = machine(&street, 0);
    let at = seconds() as u64;
    machine.write(
        "reads.csv",
        format!(
            "Plate,Seen,Score\nABC1,{at},90\nABC2,never,90\n\u{1f697},{at},90\nABC3,5000,90\nABC4,{at},90\n"
        ),
    );
    let args = [&["camera", "import", "reads.csv"][..], &MAP, &["--time-format", "unix"]].concat();
    let refuse = [&args[..], &["--bad", "refuse"]].concat();
    machine.refused(&refuse, 1, &["nothing was sent", "row 2", "time"]);
    let said = machine.ok(&args);
    for words in ["5 rows: 2 stored", "3 bad", "row 2, time", "row 3, plate", "row 4, time"] {
        assert!(said.contains(words), "{words:?} is not in:\n{said}");
    }
    machine.refused(
        &["camera", "import", "reads.csv", "--map", "plate=Plate"],
        2,
        &["no column is the time"],
    );
    let missing = ["camera", "import", "reads.csv", "--map", "plate=Tag,time=Seen"];
    machine.refused(&missing, 2, &["no column `Tag`"]);
    machine.refused(&["camera", "import", "nowhere.csv", MAP[0], MAP[1]], 1, &["nowhere.csv"]);
    let table = machine.path("reads.csv");
    let person = [&["camera", "import", &table][..], &MAP, &["--time-format", "unix"]].concat();
    street.ada.refused(&person, 1, &["from row 1 on", "token that acts for one camera"]);
    street.stop();
}

/// A broker of its own, which forgets nothing while it is away.
struct Broker {
    port: u16,
    home: tempfile::TempDir,
    child: Option<Child>,
}

impl Broker {
    fn start() -> Self {
        let home = tempfile::tempdir().unwrap();
        let mut broker = Self { port: free_port(), home, child: None };
        let folder = broker.home.path().display();
        let text = format!(
            "listener {} 127.0.0.1\nallow_anonymous false\npassword_file {folder}/passwords\npersistence true\n\
             persistence_location {folder}/\nautosave_interval 1\nautosave_on_changes true\nuser root\n",
            broker.port
        );
        std::fs::write(broker.home.path().join("broker.conf"), text).unwrap();
        let made = program("mosquitto_passwd")
            .args(["-b", "-c", &format!("{folder}/passwords"), "canvass", "word"])
            .status();
        assert!(made.unwrap().success());
        broker.again();
        broker
    }

    fn again(&mut self) {
        let config = self.home.path().join("broker.conf");
        let child =
            program("mosquitto").arg("-c").arg(config).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        self.child = Some(child.expect("install mosquitto: cargo xtask setup test"));
        until("the broker", || TcpStream::connect(("127.0.0.1", self.port)).is_ok());
    }

    fn away(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
            let _ = child.wait();
        }
    }

    /// Publishes with quality of service 1, and waits for the broker's word.
    fn publish(&self, topic: &str, message: &Value) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let text = |text: &[u8]| [&u16::try_from(text.len()).unwrap().to_be_bytes()[..], text].concat();
        let connect = [
            &text(b"MQTT")[..],
            &[4, 0b1100_0010, 0, 30],
            &text(b"frigate"),
            &text(b"canvass"),
            &text(b"word"),
        ]
        .concat();
        let publish = [&text(topic.as_bytes())[..], &[0, 1], message.to_string().as_bytes()].concat();
        let mut answer = [0; 4];
        for (kind, body) in [(0x10, connect), (0x32, publish)] {
            let mut length = body.len();
            let mut packet = vec![kind];
            loop {
                let more = length >= 128;
                packet.push(u8::try_from(length % 128).unwrap() | if more { 128 } else { 0 });
                length /= 128;
                if !more {
                    break;
                }
            }
            packet.extend(body);
            stream.write_all(&packet).unwrap();
            stream.read_exact(&mut answer).unwrap();
        }
        assert_eq!(answer[0], 0x40, "{answer:?}");
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        self.away();
    }
}

/// A program of the system's, which may lie where only root looks.
fn program(name: &str) -> Command {
    let old = std::env::var("PATH").unwrap_or_default();
    let mut command = Command::new(name);
    command.env("PATH", format!("{old}:/usr/local/sbin:/usr/sbin:/sbin"));
    let path =
        ["/usr/local/sbin", "/usr/sbin", "/usr/bin"].map(|folder| std::path::Path::new(folder).join(name));
    match path.into_iter().find(|path| path.is_file()) {
        Some(path) => Command::new(path),
        None => command,
    }
}

/// An id as Frigate makes them: when it began to follow, and chance.
fn tracked(at: f64, chance: &str) -> String {
    format!("{at:.6}-{chance}")
}

fn message(at: f64, chance: &str, plate: &str) -> Value {
    json!({ "type": "update", "before": {}, "after": {
        "id": tracked(at, chance), "camera": "drive", "label": "car", "start_time": at, "end_time": null,
        "recognized_license_plate": [plate, 0.93], "sub_label": ["John's car", 0.9],
        "path_data": vec![[0.1, 0.2]; 2_000], // longer than what MQTT clients take by default
    } })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bridge_over_mqtt_loses_nothing_that_the_broker_was_told_it_has() {
    let mut street = Street::new(1);
    let machine = machine(&street, 0);
    let mut broker = Broker::start();
    machine.write("password", "word\n");
    let at = format!("127.0.0.1:{}", broker.port);
    let args = [
        "camera",
        "bridge",
        "frigate",
        "--camera",
        "drive",
        "--mqtt",
        &at,
        "--mqtt-user",
        "canvass",
        "--mqtt-password-file",
        "password",
        "--place",
        "bridge",
    ];
    let log = || std::fs::read_to_string(machine.home.join("log")).unwrap_or_default();
    let waiting = || std::fs::metadata(machine.home.join("bridge/waiting.ndjson")).map_or(0, |it| it.len());
    let bridge = spawn(&machine, &args);
    until("the bridge", || log().contains("MQTT: listening"));
    let now = seconds();
    broker.publish("frigate/events", &message(now, "aaaaaa", "ABC 1234"));
    broker.publish("frigate/events", &message(now, "aaaaaa", "ABC 1234"));
    let update = json!({ "type": "lpr", "id": tracked(now, "aaaaaa"), "plate": "ABC 1234", "score": 0.9, "camera": "drive",
        "timestamp": now + 1.0, "name": null });
    broker.publish("frigate/tracked_object_update", &update);
    broker.publish(
        "frigate/tracked_object_update",
        &json!({ "type": "face", "id": "x", "name": "John", "camera": "drive" }),
    );
    broker.publish("frigate/events", &json!({ "after": "nonsense" }));
    until("the first read", || stored(&street) == 1);
    // The server goes; what comes meanwhile waits on the disk, also when the bridge is killed.
    street.stop();
    broker.publish("frigate/events", &message(now + 0.5, "bbbbbb", "DEF5678"));
    until("a read that waits", || waiting() > 0);
    drop(bridge);
    // Nobody listens: the broker keeps this one.
    broker.publish("frigate/events", &message(now + 1.0, "cccccc", "GHJ9012"));
    let bridge = spawn(&machine, &args);
    until("both that wait", || waiting() > 0 && log().contains("reads wait here meanwhile"));
    street.start();
    until("all three", || stored(&street) == 3);
    // The broker goes and comes again.
    broker.away();
    until("word of it", || log().contains("trying again"));
    broker.again();
    broker.publish("frigate/events", &message(now + 1.5, "dddddd", "KLM3456"));
    until("the fourth", || stored(&street) == 4);
    until("an empty outbox", || waiting() == 0);
    bridge.stop();
    assert!(log().contains("nothing waits"), "{}", log());
    for secret in ["ABC", "John"] {
        assert!(!log().contains(secret), "{secret:?} is in:\n{}", log());
    }
    street.stop();
}

/// A Frigate with nothing but its list of events, which answers as long as it is up.
#[derive(Clone, Default)]
struct Frigate {
    events: Arc<Mutex<Vec<Value>>>,
    down: Arc<Mutex<bool>>,
}

impl Frigate {
    fn listen(&self) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let frigate = self.clone();
        std::thread::spawn(move || listener.incoming().flatten().for_each(|stream| frigate.answer(stream)));
        port
    }

    fn answer(&self, stream: TcpStream) {
        let mut lines = BufReader::new(&stream);
        let mut first = String::new();
        if lines.read_line(&mut first).is_err() || !first.starts_with("GET /api/events?") {
            return;
        }
        let mut line = String::new();
        while lines.read_line(&mut line).is_ok_and(|read| read > 2) {
            line.clear();
        }
        let query = |name: &str| {
            let part = first.split(['?', '&', ' ']).find_map(|part| part.strip_prefix(&format!("{name}=")));
            part.unwrap_or_default().to_owned()
        };
        let (after, limit) =
            (query("after").parse::<f64>().unwrap(), query("limit").parse::<usize>().unwrap());
        assert_eq!((query("cameras").as_str(), query("sort").as_str()), ("drive", "date_asc"));
        let mut events = self.events.lock().unwrap().clone();
        events.retain(|event| event["start_time"].as_f64().unwrap() > after);
        events
            .sort_by(|a, b| a["start_time"].as_f64().unwrap().total_cmp(&b["start_time"].as_f64().unwrap()));
        events.truncate(limit);
        let (status, body) = if *self.down.lock().unwrap() {
            ("502 Bad Gateway", "<html>".to_owned())
        } else {
            ("200 OK", Value::from(events).to_string())
        };
        let _ = write!(
            &stream,
            "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        );
    }

    fn add(&self, at: f64, chance: &str, plate: Option<&str>) {
        let data = json!({ "recognized_license_plate": plate, "recognized_license_plate_score": 0.9 });
        self.events.lock().unwrap().push(json!({
            "id": tracked(at, chance), "camera": "drive", "label": "car", "start_time": at,
            "end_time": plate.map(|_| at + 1.0), "data": data,
        }));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bridge_over_http_goes_on_from_its_place_and_waits_for_plates_that_come_late() {
    let mut street = Street::new(1);
    let machine = machine(&street, 0);
    let frigate = Frigate::default();
    let address = url(frigate.listen());
    let now = seconds();
    // More than one page, many of them begun in the same frame.
    for event in 0..250 {
        let at = now - 1_000.0 + f64::from(event / 7);
        frigate.add(at, &format!("{event:06}"), Some(&format!("P{event:05}")));
    }
    frigate.add(now - 900.0, "late00", None);
    let since =
        canvass_types::Time::new(jiff::Timestamp::from_second(now as i64 - 3_000).unwrap()).to_string();
    let args = [
        "camera", "bridge", "frigate", "--camera", "drive", "--url", &address, "--every", "1", "--since",
        &since, "--place", "bridge",
    ];
    let bridge = spawn(&machine, &args);
    until("the first pages", || stored(&street) == 250);
    // Frigate is away for a while, then its late plate is there, far behind the newest event.
    *frigate.down.lock().unwrap() = true;
    frigate.add(now - 2.0, "newest", Some("NEW1234"));
    let log = || std::fs::read_to_string(machine.home.join("log")).unwrap_or_default();
    until("word of it", || log().contains("it answers 502"));
    *frigate.down.lock().unwrap() = false;
    until("the newest", || stored(&street) == 251);
    drop(bridge);
    frigate.events.lock().unwrap().retain(|event| !event["id"].as_str().unwrap().ends_with("late00"));
    frigate.add(now - 900.0, "late00", Some("LATE123"));
    let bridge = spawn(&machine, &args);
    until("the late one", || stored(&street) == 252);
    bridge.stop();
    let place: Value =
        serde_json::from_slice(&std::fs::read(machine.home.join("bridge/place.json")).unwrap()).unwrap();
    assert!((place["after"].as_f64().unwrap() - (now - 2.0)).abs() < 0.01, "{place}");
    street.stop();
}

#[test]
fn a_bridge_says_at_once_what_is_wrong() {
    let mut street = Street::new(1);
    let machine = machine(&street, 0);
    let bridge = ["camera", "bridge", "frigate", "--camera", "drive"];
    machine.refused(&bridge, 2, &["--mqtt"]);
    machine.refused(&[&bridge[..], &["--mqtt", "broker"]].concat(), 2, &["host and port"]);
    machine.refused(&[&bridge[..], &["--url", "frigate"]].concat(), 2, &["address"]);
    machine.write("token", "cvt_0000");
    machine.refused(&[&bridge[..], &["--url", "http://127.0.0.1:9"]].concat(), 1, &["401"]);
    street.stop();
}
