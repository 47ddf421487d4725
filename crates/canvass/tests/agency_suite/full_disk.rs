//! A full disk under the whole server: refusals that say so, nothing acknowledged lost, nothing half there, and work that
//! goes on by itself once there is space.

use std::{io::Write as _, path::PathBuf, process::Command};

use serde_json::{Value, json};

use crate::{reads::Street, reads::now, town::*};

const INSIDE: &str = "CANVASS_TEST_SMALL_DISK";
const ROWS: u64 = 200;

/// What takes all the space that is left.
struct Ballast(PathBuf);

impl Ballast {
    fn new(street: &Street) -> Self {
        Self(street.folder.path().join("ballast"))
    }

    /// Until not a byte more can be written.
    fn fill(&self) {
        let mut file = std::fs::File::options().create(true).append(true).open(&self.0).unwrap();
        for size in [1 << 20, 4 << 10, 1] {
            let block = vec![7; size];
            while file.write_all(&block).is_ok() {}
        }
    }

    fn free(&self) {
        std::fs::remove_file(&self.0).unwrap();
    }
}

async fn send(street: &Street, number: u64) -> (u16, Value) {
    let rows: Vec<Value> = (0..ROWS)
        .map(|row| json!({ "id": format!("{number}-{row}"), "time": now(), "plate": format!("F{number:02}{row:04}") }))
        .collect();
    let address = format!("{}/api/v1/reads", url(street.desk));
    let http = reqwest::Client::new();
    let answer = http.post(address).bearer_auth(&street.tokens[0]).json(&json!({ "reads": rows })).send();
    let answer = answer.await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

/// What was sent, and what of it was acknowledged.
#[derive(Default)]
struct Sent {
    batches: Vec<(u64, bool)>,
    cases: Vec<String>,
}

impl Sent {
    /// Sends reads and creates cases until both are refused.
    async fn until_refused(&mut self, street: &Street, ines: &Person, ballast: &Ballast) {
        let mut refused = false;
        for _ in 0..200 {
            ballast.fill();
            let number = self.batches.len() as u64;
            let (status, said) = send(street, number).await;
            self.batches.push((number, status == 200));
            if status != 200 {
                assert_eq!(status, 507, "{said}");
                assert!(said["detail"].as_str().unwrap().contains("nothing of this was stored"), "{said}");
                refused = true;
                break;
            }
        }
        assert!(refused, "a full disk took {} batches", self.batches.len());
        for number in 0..400 {
            ballast.fill();
            let title = format!("Elm Street {} {number}", self.batches.len());
            let said = ines.run(&["case", "create", "--title", &title]);
            if said.code == 0 {
                self.cases.push(title);
                continue;
            }
            said.refused(1, &["disk", "full", "nothing of this was stored"]);
            return;
        }
        panic!("a full disk took 400 cases");
    }

    /// All of it is there, each once, when all is sent again.
    async fn is_there(&mut self, street: &Street, ines: &Person) {
        for (number, acknowledged) in &mut self.batches {
            let (status, said) = send(street, *number).await;
            assert_eq!(status, 200, "{said}");
            let whole = said["stored"] == ROWS || said["duplicates"] == ROWS;
            assert!(whole && (!*acknowledged || said["duplicates"] == ROWS), "{acknowledged}: {said}");
            *acknowledged = true;
        }
        let listed = ines.json(&["case", "list"]).to_string();
        for title in &self.cases {
            assert!(listed.contains(title.as_str()), "{title} was acknowledged and is gone");
        }
        let report = street.operator.json(&["check", "--data", "data"]);
        assert_eq!(report["findings"], json!([]), "{report}");
        assert_eq!(report["reads"], json!(self.batches.len() as u64 * ROWS), "each read once");
    }
}

/// Not a test by itself: [`a_full_disk_is_told_and_survived`] runs it where all folders lie on a small disk of their own.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "runs only inside another test"]
async fn live_through_a_full_disk() {
    if std::env::var_os(INSIDE).is_none() {
        return;
    }
    let mut street = Street::new(1);
    let ines = member(street.folder.path(), &street.ada, "Ines", &["investigator"], Some(&street.agency));
    ines.ok(&["case", "create", "--title", "26-77"]);
    let ballast = Ballast::new(&street);
    let mut sent = Sent::default();
    sent.until_refused(&street, &ines, &ballast).await;
    // What is public and what is stored can be read all the while, and a search that can't be entered is not made.
    assert_eq!(reqwest::get(url(street.public)).await.unwrap().status(), 200);
    ines.ok(&["case", "list"]);
    let why =
        ["--for", "crime", "--offence", "felony", "--purpose", "Grey pickup at the pharmacy on Elm Street"];
    let search = [&["plate", "search", "F000001", "--case-number", "26-77"][..], &why].concat();
    ines.run(&search).refused(1, &["disk", "full"]);
    ballast.free();
    // No restart is needed.
    until("that it stores again", || ines.run(&["case", "create", "--title", "With space again"]).code == 0);
    ines.ok(&search);
    sent.is_there(&street, &ines).await;

    sent.until_refused(&street, &ines, &ballast).await;
    street.kill();
    ballast.free();
    street.start();
    sent.is_there(&street, &ines).await;
    until("whole ledgers", || {
        let said = street.operator.run(&["verify", "ledger", &url(street.public)]);
        said.code == 0 && said.out.contains("No defect found")
    });
    street.stop();
}

#[test]
fn a_full_disk_is_told_and_survived() {
    let folder = tempfile::tempdir().unwrap();
    let mount = "mount -t tmpfs -o size=160m none \"$TMPDIR\" && exec \"$0\" full_disk::live_through_a_full_disk --exact --ignored";
    // Who may not mount does so as the only user of a namespace; some containers let nobody.
    let ways: [&[&str]; 2] = [&["--mount"], &["--user", "--map-root-user", "--mount"]];
    let tried = format!("mount -t tmpfs none {}", folder.path().display());
    let works = |own: &&&[&str]| {
        let done = Command::new("unshare").args(**own).args(["sh", "-c", &tried]).output();
        done.is_ok_and(|done| done.status.success())
    };
    let Some(own) = ways.iter().find(works) else {
        println!(
            "skipped: no disk of its own can be mounted here; run the tests where `unshare --mount` works"
        );
        return;
    };
    let done = Command::new("unshare")
        .args(*own)
        .args(["sh", "-c", mount])
        .arg(std::env::current_exe().unwrap())
        .env("TMPDIR", folder.path())
        .env(INSIDE, "1")
        .output()
        .unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    assert!(done.status.success() && said.contains("1 passed"), "{said}");
}
