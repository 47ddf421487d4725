use std::cell::Cell;
use std::io::Write as _;

use canvass_ledger::note::KeyKind;
use canvass_ledger::{Checkpoint, Hash, SignedCheckpoint, SignerKey, Trust, leaf_hash, merkle};
use canvass_types::leaf::RequestsLeaf;
use canvass_types::*;
use ed25519_dalek::SigningKey;
use proptest::prelude::*;

use super::*;

/// Repeatable chance (xorshift64*).
struct Chance(Cell<u64>);

impl Chance {
    fn next(&self) -> u64 {
        let mut x = self.0.get();
        x ^= x >> 12;
        x ^= x << 25;
        x ^= x >> 27;
        self.0.set(x);
        x.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&self, n: u64) -> u64 {
        (self.next() >> 33) % n
    }

    fn bytes<const N: usize>(&self) -> [u8; N] {
        std::array::from_fn(|_| self.next().to_be_bytes()[2])
    }

    fn id<T: TryFrom<String, Error: std::fmt::Debug>>(&self, prefix: &str) -> T {
        let alphabet = b"abcdefghijklmnopqrstuvwxyz234567";
        let mut text: String = (0..25).map(|_| char::from(alphabet[self.below(32) as usize])).collect();
        text.push('a');
        T::try_from(format!("{prefix}_{text}")).unwrap()
    }
}

/// A whole tree in memory.
struct Tree {
    leaves: Vec<String>,
    levels: Vec<Vec<Hash>>,
}

impl Tree {
    fn new(leaves: Vec<String>) -> Self {
        let mut levels = vec![leaves.iter().map(|leaf| leaf_hash(leaf.as_bytes())).collect::<Vec<_>>()];
        while levels.last().unwrap().len() > 1 {
            let next =
                levels.last().unwrap().chunks_exact(2).map(|pair| merkle::node_hash(&pair[0], &pair[1]));
            levels.push(next.collect());
        }
        Self { leaves, levels }
    }

    fn entry(&self, index: usize) -> Entry {
        let plan = merkle::Plan::inclusion(index as u64, self.leaves.len() as u64).unwrap();
        let lookup =
            |node: merkle::Node| Some(*self.levels.get(usize::from(node.level))?.get(node.index as usize)?);
        Entry { leaf: self.leaves[index].clone(), index: index as u64, path: plan.assemble(lookup).unwrap() }
    }

    fn checkpoint(&self) -> String {
        let root = merkle::root_of(&self.levels[0]);
        let head = Checkpoint {
            origin: "example.org/requests".into(),
            size: self.leaves.len() as u64,
            root,
            extensions: vec![],
        };
        SignedCheckpoint::sign(head, &log_key(), &[], 0).unwrap().to_string()
    }
}

fn log_key() -> SignerKey {
    SignerKey::from_seed("example.org/requests", KeyKind::Log, &[7; 32]).unwrap()
}

fn trust() -> Trust {
    Trust::new("example.org/requests", log_key().verifier().clone(), vec![], 0).unwrap()
}

fn text(leaf: &RequestsLeaf) -> String {
    String::from_utf8(canonical(leaf).unwrap()).unwrap()
}

fn time(text: &str) -> Time {
    text.parse().unwrap()
}

fn square(x: f64, y: f64, width: f64) -> Area {
    Area::new(vec![[x, y], [x + width, y], [x + width, y + width], [x, y + width], [x, y]]).unwrap()
}

fn made_agency(chance: &Chance, number: u64) -> (PublicAgency, SigningKey, Vec<RequestsLeaf>) {
    let key = SigningKey::from_bytes(&chance.bytes());
    let public = PublicKey::of(&key);
    let added = time("2026-01-05T12:00:00Z");
    let corners = 24;
    let mut ring: Vec<Position> = (0..corners)
        .map(|at| f64::from(at) / f64::from(corners) * std::f64::consts::TAU)
        .map(|turn| [-71.5 + 0.3 * turn.cos() + chance.below(1000) as f64 * 1e-5, 43.2 + 0.2 * turn.sin()])
        .collect();
    ring.push(ring[0]);
    let agency = PublicAgency {
        id: chance.id("agy"),
        name: format!("Police Department of Town {number}"),
        class: AgencyClass::Municipal,
        subdivision: "US-NH".into(),
        jurisdiction: Area::new(ring).unwrap(),
        state: AgencyState::Verified,
        keys: vec![AgencyKey {
            id: public.id(),
            public,
            added,
            revoked: None,
            endorsed_by: None,
            endorsement: None,
        }],
    };
    let identity = serde_json::json!({"id": agency.id, "name": agency.name, "class": agency.class,
        "subdivision": agency.subdivision, "jurisdiction": agency.jurisdiction});
    let digest = Digest::of(&canonical(&identity).unwrap());
    let state = |state, at| RequestsLeaf::AgencyState {
        agency: agency.id.clone(),
        class: agency.class,
        state,
        digest,
        at,
    };
    let leaves = vec![
        state(AgencyState::Registered, time("2026-01-04T12:00:00Z")),
        RequestsLeaf::AgencyKeyAdded {
            agency: agency.id.clone(),
            key: public.id(),
            public,
            endorsed_by: None,
            endorsement: None,
            at: added,
        },
        state(AgencyState::Verified, time("2026-01-06T12:00:00Z")),
    ];
    (agency, key, leaves)
}

fn made_request(
    chance: &Chance,
    (agency, key): (&PublicAgency, &SigningKey),
    details: String,
    number: u64,
) -> (PublicRequest, Vec<RequestsLeaf>) {
    let id: RequestId = chance.id("req");
    let at = time("2026-11-10T00:00:00Z").plus_seconds((number * 3_607) as i64);
    let start = at.plus_seconds(-90_000 - chance.below(1_000_000) as i64);
    let hrp = bech32::Hrp::parse("age").unwrap();
    let incidents =
        [IncidentType::Burglary, IncidentType::Theft, IncidentType::Collision, IncidentType::Other];
    let step = |n: u64| chance.below(n) as f64 * 1e-4;
    let (x, y) = (-71.6 + step(2_000), 43.1 + step(2_000));
    let ring = vec![
        [x, y],
        [x + 0.008 + step(20), y + step(9)],
        [x + 0.009, y + 0.006],
        [x + 0.002, y + 0.007 + step(9)],
        [x, y],
    ];
    let body = RequestBody {
        v: 1,
        id: id.clone(),
        agency: Asker { id: agency.id.clone(), name: agency.name.clone(), class: agency.class },
        code: format!("26-{:06}", chance.below(1_000_000)),
        incident: incidents[chance.below(4) as usize],
        details,
        contact: Contact {
            name: format!("Det. {} Vale", ["Robin", "Sam", "Alex", "Kim", "Lee"][chance.below(5) as usize]),
            phone: Some(format!("+1 603 555 {:04}", chance.below(10_000))),
            email: None,
        },
        area: Area::new(ring).unwrap(),
        time_frame: TimeFrame {
            start,
            end: start.plus_seconds(900 + chance.below(40_000) as i64),
            zone: "America/New_York".into(),
        },
        recipient: bech32::encode::<bech32::Bech32>(hrp, &chance.bytes::<32>()).unwrap(),
        languages: vec!["en".into()],
        active_days: 14,
        created: at.plus_seconds(-5_000),
    };
    let digest = Digest::of(&canonical(&body).unwrap());
    let public = PublicKey::of(key);
    let decision = Decision {
        request: id.clone(),
        approved: true,
        rule: None,
        reason: "An incident, one place and its minutes.".into(),
        at: at.plus_seconds(-30),
    };
    let closes = at.plus_days(14);
    let decided = RequestsLeaf::RequestDecided {
        request: id.clone(),
        agency: agency.id.clone(),
        approved: true,
        digest: Digest::of(&canonical(&decision).unwrap()),
        at: at.plus_seconds(-30),
    };
    let published = RequestsLeaf::RequestPublished {
        request: id.clone(),
        agency: agency.id.clone(),
        digest,
        key: public.id(),
        at,
        closes,
    };
    let signature = sign(key, RequestBody::CONTEXT, &body).unwrap();
    let request = PublicRequest {
        id,
        state: RequestState::Published,
        request: Some(Signed { body, digest, key: public.id(), signature }),
        decision,
        at,
        closes: Some(closes),
        proofs: Vec::new(),
    };
    (request, vec![decided, published])
}

struct World {
    agencies: Vec<(PublicAgency, SigningKey, Vec<RequestsLeaf>)>,
    requests: Vec<(PublicRequest, Vec<RequestsLeaf>)>,
}

const REGION: &str = "832a36fffffffff";

impl World {
    fn new(seed: u64, agencies: u64, requests: u64, details: impl Fn(&Chance) -> String) -> Self {
        let chance = Chance(Cell::new(seed));
        let agencies: Vec<_> = (0..agencies).map(|number| made_agency(&chance, number)).collect();
        let requests = (0..requests)
            .map(|number| {
                let (agency, key, _) = &agencies[chance.below(agencies.len() as u64) as usize];
                let details = details(&chance);
                made_request(&chance, (agency, key), details, number)
            })
            .collect();
        Self { agencies, requests }
    }

    fn small() -> Self {
        Self::new(99, 1, 3, |chance| {
            format!(
                "Case {}: a garage was opened by force; we ask for video of the street.",
                chance.below(9_999)
            )
        })
    }

    /// Spreads all leaves over a tree with `gap` other leaves between any two groups.
    fn bundle(&self, gap: usize) -> RegionBundle {
        let mut leaves = Vec::new();
        let mut fill = 0_u64;
        let mut places = Vec::new();
        let groups =
            self.agencies.iter().map(|(_, _, own)| own).chain(self.requests.iter().map(|(_, own)| own));
        let mut newest = Time::from_second(0);
        for own in groups {
            for _ in 0..gap {
                fill += 1;
                leaves.push(format!("{{\"other\":{fill}}}"));
            }
            places.push(leaves.len()..leaves.len() + own.len());
            for leaf in own {
                newest = newest.max(super::verify::moment(leaf));
                leaves.push(text(leaf));
            }
        }
        let tree = Tree::new(leaves);
        let entries =
            |at: usize| -> Vec<Entry> { places[at].clone().map(|index| tree.entry(index)).collect() };
        let agencies: Vec<_> = self
            .agencies
            .iter()
            .enumerate()
            .map(|(at, (agency, _, _))| (agency.clone(), entries(at)))
            .collect();
        let requests: Vec<_> = self
            .requests
            .iter()
            .enumerate()
            .map(|(at, (request, _))| (request.clone(), entries(at + self.agencies.len())))
            .collect();
        RegionBundle::new(REGION.into(), newest, tree.checkpoint(), agencies, requests).unwrap()
    }

    fn public(&self) -> Vec<PublicRequest> {
        self.bundle(0).expand().unwrap().requests
    }
}

#[test]
fn a_bundle_verifies_and_its_bytes_do_not_depend_on_order() {
    let bundle = World::small().bundle(40);
    let bytes = bundle.to_bytes().unwrap();
    assert_eq!(verify_bundle(&bytes, &trust()).unwrap(), bundle);
    assert!(bundle.requests.iter().flat_map(|request| &request.entries).all(|entry| entry.leaf.is_none()));
    let mut whole = bundle.expand().unwrap();
    whole.requests.reverse();
    for request in &mut whole.requests {
        request.proofs.reverse();
    }
    let (region, checkpoint) = (bundle.region.clone(), bundle.checkpoint.clone());
    let again =
        RegionBundle::from_proofs(region, bundle.generated, checkpoint, whole.agencies, whole.requests)
            .unwrap();
    assert_eq!(again.to_bytes().unwrap(), bytes);
    let empty =
        RegionBundle::new(REGION.into(), bundle.generated, bundle.checkpoint, vec![], vec![]).unwrap();
    assert_eq!(verify_bundle(&empty.to_bytes().unwrap(), &trust()).unwrap(), empty);
    assert_eq!(empty.expand().unwrap(), Expanded::default());
}

#[test]
fn proofs_expand_to_the_standard_form_and_back() {
    for gap in [0, 1, 2, 3, 7, 300] {
        let bundle = World::small().bundle(gap);
        let whole = bundle.expand().unwrap();
        for proof in whole.requests.iter().flat_map(|request| &request.proofs) {
            let parsed = canvass_ledger::Proof::parse(proof.proof.as_bytes()).unwrap();
            parsed.verify(&leaf_hash(proof.leaf.as_bytes()), &trust()).unwrap();
        }
        let build = |checkpoint: &str| {
            let (region, whole) = (bundle.region.clone(), whole.clone());
            RegionBundle::from_proofs(
                region,
                bundle.generated,
                checkpoint.into(),
                whole.agencies,
                whole.requests,
            )
        };
        assert_eq!(build(&bundle.checkpoint).unwrap(), bundle);
        let other = World::small().bundle(20).checkpoint;
        assert!(matches!(build(&other), Err(BundleError::Checkpoint { .. })));
    }
}

/// The figure that product and web plan with: 300 active requests in one region, two ledger entries each.
#[test]
fn three_hundred_requests_stay_under_200_kb_gzipped() {
    let table =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../vectors/requests/content.tsv"))
            .unwrap();
    let words: Vec<&str> = table.split_whitespace().filter(|word| word.is_ascii()).collect();
    let world = World::new(4_242, 6, 300, |chance| {
        let count = 25 + chance.below(50);
        let words: Vec<_> = (0..count).map(|_| words[chance.below(words.len() as u64) as usize]).collect();
        words.join(" ")
    });
    let bundle = world.bundle(150);
    let bytes = bundle.to_bytes().unwrap();
    let expanded = bundle.expand().unwrap();
    let full = expanded.requests.iter().flat_map(|request| &request.proofs);
    let paths: usize =
        full.map(|proof| canvass_ledger::Proof::parse(proof.proof.as_bytes()).unwrap().hashes.len()).sum();
    assert!(paths >= 600 * 15, "{paths} hashes in 600 full proofs");
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(9));
    gzip.write_all(&bytes).unwrap();
    let packed = gzip.finish().unwrap().len();
    let characters: usize =
        bundle.requests.iter().map(|r| r.request.as_ref().unwrap().body.details.len()).sum();
    println!(
        "300 requests, {characters} characters of details, {} hashes: {} bytes, {packed} gzipped",
        bundle.hashes.len(),
        bytes.len()
    );
    assert!(packed < 200_000, "{packed}");
    verify_bundle(&bytes, &trust()).unwrap();
}

#[test]
fn whatever_is_altered_is_named() {
    type Change = fn(&mut RegionBundle);
    let cases: &[(&str, Change)] = &[
        ("not the one in the ledger", |b| b.requests[0].request.as_mut().unwrap().body.details.push('x')),
        ("lead to the checkpoint", |b| b.requests[0].request.as_mut().unwrap().digest = Digest([1; 32])),
        ("lead to the checkpoint", |b| b.requests[0].request.as_mut().unwrap().key = "0".repeat(16)),
        ("lead to the checkpoint", |b| b.requests[0].decision.reason.push('!')),
        ("lead to the checkpoint", |b| b.requests[0].at = b.requests[0].at.plus_seconds(1)),
        ("left out", |b| b.requests[0].closes = None),
        ("signature is not by", |b| {
            b.requests[0].request.as_mut().unwrap().signature = SignatureText([0; 64])
        }),
        ("state is not that", |b| b.requests[1].state = RequestState::Resolved),
        ("state is not that", |b| b.requests[1].state = RequestState::Withheld),
        ("left out", |b| b.requests[2].request = None),
        ("lead to the checkpoint", |b| {
            let leaf = b.agencies[0].entries[1].leaf.as_mut().unwrap();
            *leaf = leaf.replace("2026", "2027");
        }),
        ("lead to the checkpoint", |b| b.hashes.swap(0, 1)),
        ("not the common proof", |b| drop(b.hashes.pop())),
        ("not the common proof", |b| b.hashes[3] = "AAAA".into()),
        ("not the common proof", |b| b.hashes.push(b.hashes[0].clone())),
        ("not the common proof", |b| b.requests[2].entries[1].index = 1 << 40),
        ("not the common proof", |b| drop(b.requests[0].entries.pop())),
        ("not the common proof", |b| b.agencies.clear()),
        ("stands twice", |b| {
            let other = b.requests[1].entries[1].clone();
            b.requests[0].entries.push(other);
        }),
        ("left out", |b| b.agencies[0].entries[0].leaf = None),
        ("lead to the checkpoint", |b| {
            let [decided, _] = b.requests[0].told().unwrap();
            b.requests[0].entries[1].leaf = Some(decided);
        }),
        ("canonical form and order", |b| {
            let [decided, _] = b.requests[0].told().unwrap();
            b.requests[0].entries[0].leaf = Some(decided);
        }),
        ("does not touch this region", |b| b.region = "832830fffffffff".into()),
        ("canonical form and order", |b| b.requests.swap(0, 1)),
        ("canonical form and order", |b| b.generated = b.generated.plus_seconds(1)),
        ("name, class, subdivision", |b| b.agencies[0].agency.name.push('x')),
        ("name, class, subdivision", |b| b.agencies[0].agency.jurisdiction = square(1.0, 1.0, 1.0)),
        ("class or standing", |b| b.agencies[0].agency.state = AgencyState::Suspended),
        ("keys are not", |b| b.agencies[0].agency.keys.clear()),
        ("keys are not", |b| b.agencies[0].agency.keys[0].revoked = Some(b.generated)),
        ("version 2", |b| b.v = 2),
        ("does not verify", |b| b.checkpoint = b.checkpoint.replacen("\n1", "\n2", 1)),
        ("log example.net", |b| b.checkpoint = b.checkpoint.replace("example.org", "example.net")),
    ];
    let whole = World::small().bundle(40);
    for (word, change) in cases {
        let mut bundle = whole.clone();
        change(&mut bundle);
        let error = verify_bundle(&bundle.to_bytes().unwrap(), &trust()).unwrap_err().to_string();
        assert!(error.contains(word), "wanted `{word}`: {error}");
    }
    let bytes = whole.to_bytes().unwrap();
    let spaced = [b" ", bytes.as_slice()].concat();
    assert!(matches!(verify_bundle(&spaced, &trust()), Err(VerifyError::NotCanonical)));
    assert!(matches!(verify_bundle(b"{}", &trust()), Err(VerifyError::Form(_))));
}

/// Builds a world again after changing its leaves, so that the ledger itself tells the other story.
fn told(change: impl FnOnce(&mut World)) -> Result<RegionBundle, VerifyError> {
    let mut world = World::small();
    change(&mut world);
    verify_bundle(&world.bundle(3).to_bytes().unwrap(), &trust())
}

#[test]
fn what_the_ledger_itself_says_is_weighed() {
    let revoke = |world: &mut World, at: Time| {
        let (agency, _, leaves) = &mut world.agencies[0];
        let key = agency.keys[0].id.clone();
        agency.keys[0].revoked = Some(at);
        leaves.push(RequestsLeaf::AgencyKeyRevoked { agency: agency.id.clone(), key, at });
    };
    let error = told(|world| revoke(world, time("2026-02-01T00:00:00Z"))).unwrap_err().to_string();
    assert!(error.contains("was not in force"), "{error}");
    told(|world| revoke(world, time("2027-01-01T00:00:00Z"))).unwrap();

    let second = |world: &mut World, by: &SigningKey| {
        let new = PublicKey::of(&SigningKey::from_bytes(&[5; 32]));
        let (agency, _, leaves) = &mut world.agencies[0];
        let endorsement =
            sign(by, KeyEndorsement::CONTEXT, &KeyEndorsement { agency: agency.id.clone(), public: new })
                .unwrap();
        let (added, by) = (time("2026-03-01T00:00:00Z"), agency.keys[0].id.clone());
        let (endorsed_by, endorsement) = (Some(by), Some(endorsement));
        leaves.push(RequestsLeaf::AgencyKeyAdded {
            agency: agency.id.clone(),
            key: new.id(),
            public: new,
            endorsed_by: endorsed_by.clone(),
            endorsement,
            at: added,
        });
        agency.keys.push(AgencyKey {
            id: new.id(),
            public: new,
            added,
            revoked: None,
            endorsed_by,
            endorsement,
        });
    };
    told(|world| {
        let key = world.agencies[0].1.clone();
        second(world, &key);
    })
    .unwrap();
    let error = told(|world| second(world, &SigningKey::from_bytes(&[6; 32]))).unwrap_err().to_string();
    assert!(error.contains("not endorsed"), "{error}");
}

#[test]
fn a_request_needs_its_entries() {
    let error = told(|world| drop(world.requests[1].1.remove(0))).unwrap_err().to_string();
    assert!(error.contains("no entry says that a moderator"), "{error}");
    let error = told(|world| drop(world.requests[1].1.pop())).unwrap_err().to_string();
    assert!(error.contains("no entry says that it was published"), "{error}");
    let error = told(|world| world.requests[1].0.decision.reason.push('!')).unwrap_err().to_string();
    assert!(error.contains("decision shown"), "{error}");
    let error = told(|world| world.requests[1].0.closes = None).unwrap_err().to_string();
    assert!(error.contains("times are not"), "{error}");
    let error = told(|world| world.requests[1].1.swap(0, 1)).map(|_| ());
    assert_eq!(error, Ok(()), "the ledger may take both entries in one step, in either order");
    let error = told(|world| {
        let twice = world.requests[1].1[1].clone();
        world.requests[1].1.push(twice);
    });
    assert!(error.unwrap_err().to_string().contains("published twice"));
    let error = told(|world| {
        let other = world.requests[2].1[1].clone();
        world.requests[1].1.push(other);
    });
    assert!(error.unwrap_err().to_string().contains("something else"));
    assert!(told(|world| world.agencies.clear()).unwrap_err().to_string().contains("not in the bundle"));
    let error =
        told(|world| world.agencies[0].2.retain(|leaf| !matches!(leaf, RequestsLeaf::AgencyState { .. })));
    assert!(error.unwrap_err().to_string().contains("no entry tells"));
    let error = told(|world| world.requests[1].0.request = None).unwrap_err().to_string();
    assert!(error.contains("body is left out"), "{error}");
}

#[test]
fn a_request_is_in_the_state_of_its_newest_entry() {
    let end = |world: &mut World, state: RequestState| {
        let (request, leaves) = &mut world.requests[1];
        let agency = request.request.as_ref().unwrap().body.agency.id.clone();
        let (id, at) = (request.id.clone(), request.at.plus_days(1));
        request.state = state;
        leaves.push(RequestsLeaf::RequestState { request: id, agency, state, basis: None, at });
    };
    told(|world| end(world, RequestState::Resolved)).unwrap();
    let error = told(|world| end(world, RequestState::Withheld)).unwrap_err().to_string();
    assert!(error.contains("shown though"), "{error}");
    told(|world| {
        end(world, RequestState::Withheld);
        world.requests[1].0.request = None;
    })
    .unwrap();
}

#[test]
fn known_places_are_in_known_regions() {
    assert_eq!(regions(&square(-71.54, 43.2, 0.01)), [REGION]);
    // Across the 180th meridian, near a pole, and over a whole continent.
    assert!(regions(&square(179.99, -16.5, 0.0099)).len() <= 3);
    assert!(!regions(&square(10.0, 89.5, 0.4)).is_empty());
    assert!(regions(&square(-110.0, 35.0, 10.0)).len() > 30);
}

/// A point of the polygon that lies `u`, `v`, `w` parts along three of its corners' triangle.
fn in_triangle(a: Position, b: Position, c: Position, mut u: f64, mut v: f64) -> Position {
    if u + v > 1.0 {
        (u, v) = (1.0 - u, 1.0 - v);
    }
    [a[0] + u * (b[0] - a[0]) + v * (c[0] - a[0]), a[1] + u * (b[1] - a[1]) + v * (c[1] - a[1])]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn every_point_of_an_area_is_in_one_of_its_regions(
        x in -179.0..178.0f64, y in -75.0..75.0f64, sizes in prop::array::uniform4(1e-4..1.0f64), big in 0u8..3,
        points in prop::collection::vec((0.0..1.0f64, 0.0..1.0f64), 20),
    ) {
        let scale = [0.02, 0.3, 1.0][usize::from(big)];
        let [a, b, c, d] = sizes.map(|size| size * scale);
        let ring = vec![[x, y], [x + a, y + b * 0.1], [x + c * 0.2, y + d], [x, y]];
        let area = Area::new(ring).unwrap();
        let touched = regions(&area);
        let [p, q, r] = [area.ring()[0], area.ring()[1], area.ring()[2]];
        let mut inside: Vec<_> = points.iter().map(|(u, v)| in_triangle(p, q, r, *u, *v)).collect();
        inside.extend(points.iter().map(|(u, _)| in_triangle(p, q, r, *u, 0.0)));
        for [x, y] in inside {
            let cell = h3o::LatLng::new(y, x).unwrap().to_cell(h3o::Resolution::Three).to_string();
            prop_assert!(touched.contains(&cell), "{cell} of {x} {y} not in {touched:?}");
        }
    }

    #[test]
    fn areas_on_the_edge_of_cells_are_in_all_of_them(x in -170.0..170.0f64, y in -70.0..70.0f64, share in 0.0..1.0f64, at in 0usize..5) {
        let cell = h3o::LatLng::new(y, x).unwrap().to_cell(h3o::Resolution::Three);
        let boundary = cell.boundary();
        let (a, b) = (boundary[at % boundary.len()], boundary[(at + 1) % boundary.len()]);
        prop_assume!((a.lng() - b.lng()).abs() < 90.0);
        let (cx, cy) = (a.lng() + share * (b.lng() - a.lng()), a.lat() + share * (b.lat() - a.lat()));
        let touched = regions(&square(cx - 0.004, cy - 0.004, 0.008));
        for step in 0..64 {
            let (x, y) = (cx - 0.004 + 0.001 * f64::from(step % 8), cy - 0.004 + 0.001 * f64::from(step / 8));
            let cell = h3o::LatLng::new(y, x).unwrap().to_cell(h3o::Resolution::Three).to_string();
            prop_assert!(touched.contains(&cell));
        }
        prop_assert!(touched.len() <= 4);
    }

    #[test]
    fn no_area_panics(ring in prop::collection::vec((-180.0..=180.0f64, -90.0..=90.0f64), 3..8)) {
        let mut ring: Vec<Position> = ring.into_iter().map(|(x, y)| [x, y]).collect();
        ring.push(ring[0]);
        prop_assert!(!regions(&Area::new(ring).unwrap()).is_empty());
    }

    #[test]
    fn no_bytes_panic(at in 0usize..5_000, byte in any::<u8>()) {
        let mut bytes = World::small().bundle(2).to_bytes().unwrap();
        let at = at % bytes.len();
        if bytes[at] != byte {
            bytes[at] = byte;
            prop_assert!(verify_bundle(&bytes, &trust()).is_err());
        }
    }
}

fn golden(name: &str, bytes: &[u8]) {
    let path = format!("{}/../../vectors/requests/{name}", env!("CARGO_MANIFEST_DIR"));
    if std::env::var_os("CANVASS_BLESS").is_some() {
        std::fs::write(&path, bytes).unwrap();
    }
    let expected = std::fs::read(&path).unwrap();
    assert!(
        expected == bytes,
        "{name} differs; if that is meant, run the test with CANVASS_BLESS=1 and review the change"
    );
}

#[test]
fn geojson_atom_and_index_are_as_reviewed() {
    let mut requests = World::small().public();
    {
        let body = &mut requests[0].request.as_mut().unwrap().body;
        body.details = "Tools & <copper> \"pipes\" ]]> were taken.\nSee 'door' \u{1}\u{fffe} ñ 🚗".into();
        body.languages = vec!["es".into()];
        let mut ring = body.area.ring().to_vec();
        ring.reverse();
        body.area = Area::new(ring).unwrap();
    }
    requests[1].state = RequestState::Withheld;
    requests[1].request = None;
    requests[2].state = RequestState::Resolved;
    let base = "https://canvass.example.org/";
    let updated = time("2026-11-24T06:00:00Z");
    golden("feed.atom", &atom(&requests, base, REGION, updated));
    golden("feed.geojson", &geojson(&requests, base).unwrap());
    let bundle = World::small().bundle(0).to_bytes().unwrap();
    let entry = |region: &str| RegionEntry {
        region: region.into(),
        requests: 3,
        generated: updated,
        bytes: bundle.len() as u64,
        digest: Digest::of(&bundle),
    };
    golden("feed-index.json", &index(&[entry(REGION), entry("832830fffffffff")]).unwrap());
    golden("feed-bundle.json", &bundle);
    let mut turned = requests.clone();
    turned.reverse();
    assert_eq!(atom(&turned, base, REGION, updated), atom(&requests, base, REGION, updated));
}
