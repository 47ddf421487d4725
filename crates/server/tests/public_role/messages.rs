//! Answers and withdrawals: what is taken and what is refused.

use crate::support::world;

pub fn message(kind: &str, body: &str) -> String {
    serde_json::json!({
        "lookup": "a".repeat(43),
        "offer_key": "A".repeat(43),
        "kind": kind,
        "at": "2026-06-01T12:00:00Z",
        "body": body,
        "signature": format!("{}A", "A".repeat(85)),
    })
    .to_string()
}

#[test]
fn messages_are_checked_for_shape_and_kept() {
    let w = world();
    let json = [("content-type", "application/json")];
    let send = |text: &str| w.ask("POST", "/messages", &json, text.as_bytes());
    for (kind, body) in [("answer", "sealed"), ("withdraw", ""), ("withdraw", "sealed reason")] {
        let answer = send(&message(kind, body));
        assert_eq!(answer.status, 202, "{}", answer.text());
        assert_eq!(answer.headers["access-control-allow-origin"], "*");
    }
    let kept = std::fs::read_dir(w.spool().join("messages")).unwrap().count();
    assert_eq!(kept, 3);
    let good = message("answer", "sealed");
    let changed = |from: &str, to: &str| {
        let text = good.replace(from, to);
        assert_ne!(text, good);
        text
    };
    for (text, status, says) in [
        (String::new(), 400, "line"),
        ("[]".into(), 400, "line"),
        ("{".repeat(60_000), 400, "line"),
        (changed("answer", "delete"), 400, "line"),
        (changed("\"kind\"", "\"extra\":1,\"kind\""), 400, "line"),
        (changed("2026-06-01T12:00:00Z", "yesterday"), 400, "\"at\""),
        (changed(&"a".repeat(43), "short"), 400, "lookup"),
        (changed(&"a".repeat(43), &"../".repeat(10)), 400, "lookup"),
        (changed(&format!("\"{}\"", "A".repeat(43)), "\"AAAA\""), 400, "offer_key"),
        (changed(&"A".repeat(86), "AAAA"), 400, "signature"),
        (message("answer", ""), 400, "body"),
        (message("answer", &"x".repeat(48 * 1024 + 1)), 400, "body"),
        (message("answer", &"x".repeat(65 * 1024)), 413, "65536"),
    ] {
        let answer = send(&text);
        assert_eq!(answer.status, status, "{}", answer.text());
        assert!(answer.text().contains(says), "{says}: {}", answer.text());
    }
    assert_eq!(w.ask("POST", "/messages", &[("content-type", "text/plain")], good.as_bytes()).status, 415);
    assert_eq!(w.ask("GET", "/messages", &[], b"").status, 405);
    assert_eq!(w.ask("OPTIONS", "/messages", &[], b"").status, 204);
    for _ in 3..100 {
        assert_eq!(send(&good).status, 202);
    }
    let full = send(&good);
    assert_eq!((full.status, full.headers["retry-after"].as_str()), (429, "300"));
    assert_eq!(w.ask("GET", "/healthz", &[], b"").text(), "ok\n");
}
