//! The laws of a store of tiles and of a head, as `canvass_ledger::store` asks for them.

use std::sync::Arc;

use canvass_ledger::store::{HeadStore, StoreError, SwapError, TileStore};

/// All laws of tiles, each over a fresh store.
pub async fn all<T: TileStore + 'static>(make: impl AsyncFn() -> T) {
    objects_come_back(make().await).await;
    objects_never_change(make().await).await;
    of_rival_writers_one_wins(make().await).await;
    odd_paths_are_refused(make().await).await;
}

/// What was put is got, by its path alone; partial and whole tiles stand beside each other.
pub async fn objects_come_back<T: TileStore>(store: T) {
    let paths =
        ["tile/0/000", "tile/0/000.p/1", "tile/0/000.p/255", "tile/0/x001/234", "tile/entries/x001/x234/067"];
    for path in paths {
        assert_eq!(store.get(path).await.unwrap(), None);
        store.put(path, path.as_bytes().to_vec()).await.unwrap();
    }
    for path in paths {
        assert_eq!(store.get(path).await.unwrap().as_deref(), Some(path.as_bytes()));
    }
    // A folder, and a name below a file, are no objects.
    for path in ["tile", "tile/0/000/1", "tile/0/001"] {
        assert_eq!(store.get(path).await.unwrap(), None, "{path}");
    }
    store.put("tile/1/000", vec![]).await.unwrap();
    assert_eq!(store.get("tile/1/000").await.unwrap(), Some(vec![]));
    let big = vec![7; 16 << 20];
    store.put("tile/entries/000", big.clone()).await.unwrap();
    assert!(store.get("tile/entries/000").await.unwrap() == Some(big));
}

/// The same bytes may be put again; others are refused and change nothing.
pub async fn objects_never_change<T: TileStore>(store: T) {
    store.put("tile/0/000", b"a".to_vec()).await.unwrap();
    store.put("tile/0/000", b"a".to_vec()).await.unwrap();
    for other in [&b"b"[..], b"", b"aa"] {
        let refused = store.put("tile/0/000", other.to_vec()).await.unwrap_err();
        assert!(matches!(&refused, StoreError::Changed { path } if path == "tile/0/000"), "{refused}");
    }
    assert_eq!(store.get("tile/0/000").await.unwrap().as_deref(), Some(&b"a"[..]));
}

/// Of writers with different bytes exactly one is told that its bytes are stored, and they are.
pub async fn of_rival_writers_one_wins<T: TileStore + 'static>(store: T) {
    let store = Arc::new(store);
    for round in 0..16 {
        let path = format!("tile/0/{round:03}");
        let mut rivals = Vec::new();
        for rival in 0..8_u8 {
            let (store, path) = (Arc::clone(&store), path.clone());
            rivals.push(tokio::spawn(async move { (rival, store.put(&path, vec![rival; 10_000]).await) }));
        }
        let mut winners = Vec::new();
        for rival in rivals {
            match rival.await.expect("a task that ends well") {
                (rival, Ok(())) => winners.push(rival),
                (_, Err(StoreError::Changed { .. })) => {}
                (_, Err(error)) => panic!("{error}"),
            }
        }
        assert_eq!(winners.len(), 1);
        assert_eq!(store.get(&path).await.unwrap(), Some(vec![winners[0]; 10_000]));
    }
}

/// No path leads out of the log's own objects.
pub async fn odd_paths_are_refused<T: TileStore>(store: T) {
    let long = "a/".repeat(500) + "a";
    for path in [
        "",
        "/",
        "/etc/passwd",
        "..",
        "tile/../../x",
        "tile//0",
        "tile/",
        ".x",
        "a\\b",
        "a\u{0}",
        "é",
        long.as_str(),
    ] {
        assert!(store.put(path, b"a".to_vec()).await.is_err(), "{path}");
        assert!(store.get(path).await.is_err(), "{path}");
    }
}

/// The laws of a head, over a store that has none yet.
pub async fn heads<H: HeadStore + 'static>(store: H) {
    let store = Arc::new(store);
    assert_eq!(store.load().await.unwrap(), None);
    assert!(matches!(store.swap(Some("x"), "y").await, Err(SwapError::Lost { found: None })));
    store.swap(None, "0").await.unwrap();
    for round in 0..8 {
        let before = store.load().await.unwrap().unwrap();
        let mut rivals = Vec::new();
        for rival in 0..8 {
            let (store, before) = (Arc::clone(&store), before.clone());
            rivals.push(tokio::spawn(async move {
                let new = format!("{round}/{rival}");
                let swapped = store.swap(Some(&before), &new).await;
                (new, swapped)
            }));
        }
        let mut winners = Vec::new();
        for rival in rivals {
            match rival.await.expect("a task that ends well") {
                (new, Ok(())) => winners.push(new),
                (_, Err(SwapError::Lost { found: Some(_) })) => {}
                (_, Err(error)) => panic!("{error}"),
            }
        }
        assert_eq!(winners, [store.load().await.unwrap().unwrap()]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use canvass_ledger::store::MemStore;

    #[tokio::test(flavor = "multi_thread")]
    async fn heads_in_memory_keep_the_laws() {
        heads(MemStore::new()).await;
    }
}
