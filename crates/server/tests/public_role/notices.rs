//! Wishes for notices: what is taken, what is refused, and that the way out of a letter works without script.

use crate::support::world;

const SEALED: &str = "-----BEGIN AGE ENCRYPTED FILE-----\nYWdlLWVuY3J5cHRpb24ub3JnL3YxCg==\n-----END AGE ENCRYPTED FILE-----\n";

#[test]
fn wishes_are_kept_unread() {
    let w = world();
    let text = [("content-type", "text/plain")];
    assert_eq!(w.ask("POST", "/notices", &text, SEALED.as_bytes()).status, 202);
    let kept: Vec<_> =
        std::fs::read_dir(w.spool().join("wishes")).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(kept.len(), 1);
    assert_eq!(std::fs::read_to_string(&kept[0]).unwrap(), SEALED);
    for (body, status) in [
        (Vec::new(), 400),
        (b"hello".to_vec(), 400),
        (vec![0xff; 64], 400),
        ([SEALED.as_bytes(), &vec![b'A'; 16 * 1024]].concat(), 400),
    ] {
        let answer = w.ask("POST", "/notices", &text, &body);
        assert_eq!(answer.status, status, "{}", answer.text());
        assert!(answer.text().contains("remedy"), "{}", answer.text());
    }
    assert_eq!(w.ask("GET", "/notices", &[], b"").status, 405);
    assert_eq!(std::fs::read_dir(w.spool().join("wishes")).unwrap().count(), 1, "nothing refused is kept");
}

#[test]
fn a_letters_way_out_works_for_programs_and_people() {
    let w = world();
    let token = "a2".repeat(16);
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let link = format!("/notices/stop/{token}");
    assert_eq!(w.ask("POST", &link, &form, b"List-Unsubscribe=One-Click").status, 202);
    let kept = std::fs::read_dir(w.spool().join("wishes")).unwrap().next().unwrap().unwrap().path();
    assert_eq!(std::fs::read_to_string(kept).unwrap(), format!("stop {token}"));
    let page = w.ask("GET", &link, &[], b"");
    assert_eq!(
        (page.status, page.headers["location"].as_str()),
        (303, format!("/notify#stop/{token}").as_str())
    );
    for bad in ["/notices/stop/x", "/notices/stop/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"] {
        assert_eq!(w.ask("POST", bad, &form, b"").status, 400);
    }
}
