//! Leave to search is made of durable entries alone.
use canvass_core::{access::PlateSearch, plates::Granted};

fn anything<T>() -> T {
    loop {}
}

fn main() {
    let _: Granted<PlateSearch> = Granted {
        grants: Vec::new(),
        queries: Vec::new(),
        limit: 1,
        first: anything(),
        actor: anything(),
        owners: Vec::new(),
        left_out: Vec::new(),
        cameras: anything(),
        wishes: Vec::new(),
        sets: anything(),
    };
}
