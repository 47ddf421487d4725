//! kill -9 in the middle of an upload: what was on disk is kept, and the client goes on from there.

use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use std::{fs, io::Write};

use canvass_server::public::Limits;

use crate::support::{connect, create, head, noise, offset, patch, patch_headers, publish, start};

const FOLDER: &str = "CANVASS_TEST_CHILD_FOLDER";

/// Not a test of its own: the process that the other test kills.
#[test]
fn child_serves_until_killed() {
    let Ok(folder) = std::env::var(FOLDER) else { return };
    let folder = Path::new(&folder);
    let w = start(folder, Limits::default());
    fs::write(folder.join("address.tmp"), w.address.to_string()).unwrap();
    fs::rename(folder.join("address.tmp"), folder.join("address")).unwrap();
    std::thread::sleep(Duration::from_secs(120));
}

#[expect(clippy::zombie_processes, reason = "the caller kills and waits; a panic ends the whole run")]
fn spawn(folder: &Path) -> (Child, SocketAddr) {
    let _ = fs::remove_file(folder.join("address"));
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "crash::child_serves_until_killed"])
        .env(FOLDER, folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    for _ in 0..400 {
        if let Ok(text) = fs::read_to_string(folder.join("address")) {
            return (child, text.parse().unwrap());
        }
        std::thread::sleep(Duration::from_millis(25));
    }
    panic!("the child did not start");
}

/// Sends part of a PATCH, kills the server once some of it is on disk, and returns the offset after a restart.
fn killed_in_the_middle(
    folder: &Path,
    bytes: &[u8],
    checksum: Option<&str>,
) -> (Child, SocketAddr, String, u64) {
    let (mut child, address) = spawn(folder);
    let upload = create(address, bytes.len() as u64);
    assert_eq!(patch(address, &upload, 0, &bytes[..1000]).status, 204);
    let mut headers = patch_headers(1000);
    headers.push(("content-length", (bytes.len() - 1000).to_string()));
    headers.extend(checksum.map(|sum| ("upload-checksum", sum.to_owned())));
    let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let mut stream = connect(address);
    stream.write_all(head("PATCH", &upload, &headers).as_bytes()).unwrap();
    stream.write_all(&bytes[1000..6_000_000]).unwrap();
    let data = folder.join("spool/open").join(upload.rsplit('/').next().unwrap()).join("data");
    for _ in 0..400 {
        if fs::metadata(&data).unwrap().len() >= 4_000_000 {
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    // SIGKILL: no destructor runs.
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(fs::metadata(&data).unwrap().len() >= 4_000_000);
    let (child, address) = spawn(folder);
    let held = offset(address, &upload);
    (child, address, upload, held)
}

#[test]
fn an_upload_survives_kill_9() {
    let folder = tempfile::tempdir().unwrap();
    publish(folder.path());
    let bytes = noise(8_000_000);
    let (mut child, address, upload, held) = killed_in_the_middle(folder.path(), &bytes, None);
    assert!((4_000_000..=6_000_000).contains(&held), "{held}");
    let answer = patch(address, &upload, held, &bytes[usize::try_from(held).unwrap()..]);
    assert_eq!(answer.status, 204, "{}", answer.text());
    let done = folder.path().join("spool/done").join(upload.rsplit('/').next().unwrap());
    assert_eq!(fs::read(done.join("data")).unwrap(), bytes);
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn bytes_whose_checksum_was_never_confirmed_do_not_survive() {
    let folder = tempfile::tempdir().unwrap();
    publish(folder.path());
    let bytes = noise(8_000_000);
    let sum = "sha256 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
    let (mut child, _, _, held) = killed_in_the_middle(folder.path(), &bytes, Some(sum));
    assert_eq!(held, 1000);
    child.kill().unwrap();
    child.wait().unwrap();
}
