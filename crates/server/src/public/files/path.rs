//! Which addresses name a file at all, and what kind of file they name.

/// How long an answer may be reused without asking again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Freshness {
    /// A full ledger tile: its bytes never change (C2SP tlog-tiles).
    Immutable,
    /// Changes at any moment and is asked for often: the feed, checkpoints, the state of an offer, the summary of transparency.
    Live,
    /// Changes seldom: requests, agencies, portals, the policy.
    Slow,
}

impl Freshness {
    pub(super) const fn cache_control(self) -> &'static str {
        match self {
            Self::Immutable => "public, max-age=31536000, immutable",
            Self::Live => "public, max-age=10",
            Self::Slow => "public, max-age=60",
        }
    }
}

/// An address that may name a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Target<'a> {
    /// Path below the folder that is served, checked: only plain names, no dot in front.
    pub(super) relative: &'a str,
    pub(super) content_type: &'static str,
    pub(super) freshness: Freshness,
}

/// An address longer than this names nothing here.
const MAX_PATH: usize = 256;
/// Folders deeper than this are not ours (a tile of the largest tree stands at depth eight).
const MAX_DEPTH: usize = 10;

/// Reads the path of a request. `None` is answered as 404: percent signs, dot files, empty and unknown names all fall
/// here, for no name that we publish needs them.
pub(super) fn target(path: &str) -> Option<Target<'_>> {
    let relative = path.strip_prefix('/')?;
    if relative.len() > MAX_PATH || !relative.split('/').all(plain) || relative.split('/').count() > MAX_DEPTH
    {
        return None;
    }
    let (area, rest) = relative.split_once('/').unwrap_or((relative, ""));
    let (content_type, freshness) = match (area, rest) {
        ("policy.json" | "rules.json" | "site.json", "") => ("application/json", Freshness::Slow),
        ("feed", _) => (by_extension(rest)?, Freshness::Live),
        // An alarm that is in it must not wait.
        ("transparency.json", "") => ("application/json", Freshness::Live),
        ("texts", _) if !rest.contains('/') => (json_only(rest)?, Freshness::Slow),
        ("offers", _) if !rest.contains('/') => (json_only(rest)?, Freshness::Live),
        ("requests" | "agencies" | "portals", _) => (by_extension(rest)?, Freshness::Slow),
        ("footage", "error-rates.json" | "rules.json") => ("application/json", Freshness::Slow),
        ("asked", _) if !rest.contains('/') => (json_only(rest)?, Freshness::Slow),
        ("ledger", _) => ledger(rest)?,
        // An archive of map tiles of the operator's own (PMTiles 3), read in ranges.
        ("maps", _) if !rest.contains('/') => {
            rest.strip_suffix(".pmtiles")?;
            ("application/vnd.pmtiles", Freshness::Slow)
        }
        _ => return None,
    };
    Some(Target { relative, content_type, freshness })
}

fn plain(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with('.')
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'~'))
}

fn by_extension(name: &str) -> Option<&'static str> {
    match name.rsplit_once('.')?.1 {
        "json" => Some("application/json"),
        "geojson" => Some("application/geo+json"),
        "atom" => Some("application/atom+xml"),
        "txt" => Some("text/plain; charset=utf-8"),
        _ => None,
    }
}

fn json_only(name: &str) -> Option<&'static str> {
    name.strip_suffix(".json").map(|_| "application/json")
}

fn ledger(rest: &str) -> Option<(&'static str, Freshness)> {
    if rest == "keys.json" {
        return Some(("application/json", Freshness::Slow));
    }
    if rest == "summary.json" {
        return Some(("application/json", Freshness::Live));
    }
    let (log, inside) = rest.split_once('/')?;
    if !matches!(log, "requests" | "oversight") {
        return None;
    }
    match inside {
        "checkpoint" => Some(("text/plain; charset=utf-8", Freshness::Live)),
        // `…/x001/067.p/12` is a partial tile: right today, gone when the tile is full.
        _ if inside.starts_with("tile/") => {
            let partial = inside.contains(".p/");
            let tile = !partial && inside.rsplit('/').next().is_some_and(|last| !last.contains('.'));
            (partial || tile).then_some((
                "application/octet-stream",
                if partial { Freshness::Slow } else { Freshness::Immutable },
            ))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_layout_is_served() {
        let kinds = [
            ("/feed/us-tx/872830828ffffff.json", "application/json", Freshness::Live),
            ("/feed/map.geojson", "application/geo+json", Freshness::Live),
            ("/feed/region.atom", "application/atom+xml", Freshness::Live),
            ("/requests/q-1.json", "application/json", Freshness::Slow),
            ("/policy.json", "application/json", Freshness::Slow),
            ("/rules.json", "application/json", Freshness::Slow),
            ("/asked/2026-10-27.json", "application/json", Freshness::Slow),
            ("/footage/error-rates.json", "application/json", Freshness::Slow),
            ("/ledger/keys.json", "application/json", Freshness::Slow),
            ("/ledger/summary.json", "application/json", Freshness::Live),
            ("/site.json", "application/json", Freshness::Slow),
            ("/transparency.json", "application/json", Freshness::Live),
            ("/texts/deployment.json", "application/json", Freshness::Slow),
            ("/maps/town.pmtiles", "application/vnd.pmtiles", Freshness::Slow),
            ("/offers/abc.json", "application/json", Freshness::Live),
            ("/ledger/requests/checkpoint", "text/plain; charset=utf-8", Freshness::Live),
            ("/ledger/oversight/tile/0/x001/067", "application/octet-stream", Freshness::Immutable),
            ("/ledger/oversight/tile/entries/000", "application/octet-stream", Freshness::Immutable),
            ("/ledger/oversight/tile/0/x001/067.p/8", "application/octet-stream", Freshness::Slow),
        ];
        for (path, content_type, freshness) in kinds {
            let found = target(path).expect(path);
            assert_eq!((found.content_type, found.freshness), (content_type, freshness), "{path}");
        }
    }

    #[test]
    fn everything_else_is_nothing() {
        for path in [
            "",
            "/",
            "feed/a.json",
            "/feed/",
            "/feed",
            "//feed/a.json",
            "/feed//a.json",
            "/feed/../policy.json",
            "/feed/.hidden.json",
            "/feed/.a/b.json",
            "/feed/%2e%2e/policy.json",
            "/feed/a.json.br",
            "/feed/a.html",
            "/maps/a.json",
            "/maps/a/b.pmtiles",
            "/site.json/x",
            "/transparency.html",
            "/texts/a/b.json",
            "/texts/a.html",
            "/feed/a\\b.json",
            "/feed/a.json/",
            "/spool/open/x/data",
            "/offers/a/b.json",
            "/offers/a.txt",
            "/asked/2026-Q4.key",
            "/asked/evaluate",
            "/footage/rules.html",
            "/footage/error-rates.html",
            "/footage/rules",
            "/ledger/requests",
            "/ledger/secret/checkpoint",
            "/ledger/requests/tile/0/000.br",
            "/policy.json/x",
            "/feed/\u{e9}.json",
            "/ledger/../ledger/requests/checkpoint",
            "/requests/a.json.gz",
        ] {
            assert_eq!(target(path), None, "{path}");
        }
        assert_eq!(target(&format!("/feed/{}.json", "a".repeat(300))), None);
        assert_eq!(target(&format!("/feed/{}a.json", "a/".repeat(12))), None);
    }

    proptest::proptest! {
        #[test]
        fn no_target_leaves_the_folder(path in "/(feed|ledger|requests)?[./a-z%~\\\\-]{0,40}") {
            if let Some(found) = target(&path) {
                let inside = std::path::Path::new(found.relative).components()
                    .all(|part| matches!(part, std::path::Component::Normal(_)));
                proptest::prop_assert!(inside);
            }
        }
    }
}
