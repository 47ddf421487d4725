use proptest::prelude::*;
use serde_json::json;

use super::*;

const DAY: i64 = 86_400;

fn agency(letter: char, class: &str) -> Agency {
    serde_json::from_value(json!({
        "id": format!("agy_{}a", letter.to_string().repeat(25)), "name": format!("Agency {letter}"), "class": class,
        "subdivision": "US-NH", "state": "verified", "keys": [], "recovery": null, "rehearsed": null,
        "jurisdiction": { "type": "Polygon",
            "coordinates": [[[-71.6, 43.1], [-71.4, 43.1], [-71.4, 43.3], [-71.6, 43.3], [-71.6, 43.1]]] },
        "registered": "2026-01-01T10:11:12Z", "leaves": [], "unpublished": false,
    }))
    .unwrap()
}

fn rule(owner: &Agency, number: u8, scope: &str, named: &[&Agency], days: (i64, i64)) -> SharingRule {
    let letter = char::from(b'a' + number);
    let named: Vec<&AgencyId> = named.iter().map(|agency| &agency.id).collect();
    serde_json::from_value(json!({
        "id": format!("shr_{}a", letter.to_string().repeat(25)), "owner": owner.id,
        "what": { "kind": "cameras", "ids": ["elm-and-main", "the-mayors-house"] }, "scope": scope, "named": named,
        "within_km": 30, "from": Time::from_second(days.0 * DAY), "until": Time::from_second(days.1 * DAY),
        "offered": Time::from_second(days.0 * DAY), "accepted": [], "ended": null,
    }))
    .unwrap()
}

fn text(owner: Option<&Agency>, claims: &serde_json::Value) -> PolicyText {
    serde_json::from_value(json!({
        "agency": owner.map(|agency| &agency.id), "language": "en", "markdown": "What we keep, and for how long.",
        "claims": claims, "by": "mbr_aaaaaaaaaaaaaaaaaaaaaaaaaa", "at": "2026-02-03T04:05:06Z",
    }))
    .unwrap()
}

/// Read once: the property test makes many worlds.
fn shipped() -> &'static PolicySet {
    static SHIPPED: std::sync::OnceLock<PolicySet> = std::sync::OnceLock::new();
    SHIPPED.get_or_init(|| PolicySet::shipped().unwrap())
}

struct World {
    policy: Policy,
    rules: &'static PolicySet,
    agencies: Vec<Agency>,
    roles: RoleCounts,
    counts: BTreeMap<AgencyId, u32>,
    sharing: Vec<SharingRule>,
    texts: Vec<PolicyText>,
    findings: BTreeMap<String, BTreeMap<String, u64>>,
}

impl World {
    fn new() -> Self {
        let agencies = vec![agency('c', "municipal"), agency('b', "county"), agency('d', "federal")];
        Self {
            policy: Policy::default(),
            rules: shipped(),
            counts: BTreeMap::from([(agencies[0].id.clone(), 3)]),
            sharing: Vec::new(),
            texts: Vec::new(),
            findings: BTreeMap::new(),
            roles: BTreeMap::new(),
            agencies,
        }
    }

    fn summary(&self) -> Transparency {
        summarise(&Given {
            policy: &self.policy,
            rules: self.rules,
            agencies: &self.agencies,
            roles: &self.roles,
            requests: &self.counts,
            portals: &BTreeMap::new(),
            sharing: &self.sharing,
            texts: &self.texts,
            hotlists: &[],
            safelists: &[],
            findings: &self.findings,
            now: Time::from_second(100 * DAY),
        })
    }
}

#[test]
fn an_agency_is_shown_with_its_law_its_sharing_and_what_is_not_so() {
    let mut world = World::new();
    let [town, county, federal] = [0, 1, 2].map(|at| world.agencies[at].clone());
    world.sharing = vec![
        rule(&town, 2, "distance", &[], (90, 110)),
        rule(&town, 1, "named", &[&county, &federal], (90, 110)),
        rule(&town, 3, "all", &[], (101, 110)),
        rule(&county, 4, "state", &[], (90, 110)),
    ];
    world.texts = vec![
        text(
            Some(&town),
            &json!([{ "setting": "sharing.federal", "value": "none" }, { "setting": "law.profile", "value": "us-nh" }]),
        ),
        text(None, &json!([{ "setting": "retention.audit_days", "value": 90 }])),
    ];
    let summary = world.summary();
    let ids: Vec<&AgencyId> = summary.agencies.iter().map(|agency| &agency.id).collect();
    assert_eq!(ids, [&county.id, &town.id, &federal.id], "by id");
    let shown = &summary.agencies[1];
    assert_eq!((shown.law.profile.as_str(), shown.law.title.as_str()), ("us-nh", "New Hampshire"));
    assert_eq!(shown.law.reads.seen_seconds, 180, "what met no hotlist is gone after three minutes");
    assert!(shown.law.reads.hit_seconds > shown.law.reads.seen_seconds);
    assert_eq!((shown.requests, shown.portals, shown.keys.count), (3, 0, 0));
    assert_eq!(shown.keys.since, "2026-01-01");
    let scopes: Vec<&str> = shown.sharing.iter().map(|rule| rule.scope.as_str()).collect();
    assert_eq!(scopes, ["named", "distance"], "what is not yet in force is not shown");
    assert_eq!((shown.sharing[0].within_km, shown.sharing[1].within_km), (None, Some(30)));
    let [open] = &shown.contradictions[..] else { panic!("{:?}", shown.contradictions) };
    assert_eq!((open.setting, &*open.live.to_string()), (LiveSetting::SharingFederal, "named"));
    assert_eq!(open.since, "1970-04-11", "known from this moment on");
    let [open] = &summary.deployment.contradictions[..] else { panic!() };
    assert_eq!((open.claimed.to_string(), open.live.to_string()), ("90".into(), "3650".into()));
    assert!(summary.agencies[0].contradictions.is_empty());
    assert!(summary.plates && summary.hotlists.is_empty());
}

#[test]
fn nothing_finer_than_a_day_and_nobodys_name_is_in_it() {
    let mut world = World::new();
    let town = world.agencies[0].clone();
    world.sharing = vec![rule(&town, 1, "state", &[], (90, 110))];
    world.texts = vec![text(Some(&town), &json!([{ "setting": "ask.moderated", "value": false }]))];
    let members = [member(1, Some(&town), &[Role::Investigator], 5, None)];
    world.roles = next_counts(&BTreeMap::new(), &members, "1970-04-11");
    let written = serde_json::to_string(&world.summary()).unwrap();
    for hidden in ["mbr_", "Person", "mayor", "cas_", "shr_", "T0", "T1", ":05:06"] {
        assert!(!written.contains(hidden), "{hidden} in {written}");
    }
    assert!(written.contains("\"since\":\"1970-01-06\""), "{written}");
}

#[test]
fn every_retention_of_the_policy_is_a_class_of_what_is_kept() {
    let world = World::new();
    let kept = world.summary().kept;
    let fields = serde_json::to_value(&world.policy.retention).unwrap();
    for (name, days) in fields.as_object().unwrap() {
        let setting: LiveSetting = format!("retention.{name}").parse().unwrap();
        let found: Vec<_> = kept.iter().filter(|kept| kept.setting == Some(setting)).collect();
        assert_eq!(found.len(), 1, "{name}");
        assert_eq!(found[0].days.map(u64::from), days.as_u64(), "{name}");
    }
}

fn member(number: u32, agency: Option<&Agency>, roles: &[Role], added: i64, stopped: Option<i64>) -> Member {
    serde_json::from_value(json!({
        "id": format!("mbr_{}a", format!("{number:025}").replace(['0', '1', '8', '9'], "a")),
        "agency": agency.map(|agency| &agency.id), "name": format!("Person {number}"), "roles": roles, "recipient": null,
        "active": stopped.is_none(), "added": Time::from_second(added * DAY),
        "stopped": stopped.map(|day| Time::from_second(day * DAY)),
    }))
    .unwrap()
}

#[test]
fn since_is_the_day_on_which_as_many_as_now_came_to_be() {
    let town = agency('c', "municipal");
    let key = town.id.to_string();
    let mut people = vec![
        member(2, Some(&town), &[Role::Investigator], 3, None),
        member(3, Some(&town), &[Role::Investigator, Role::Supervisor], 7, None),
        member(4, Some(&town), &[Role::Custodian], 2, Some(9)),
    ];
    let of = |counts: &RoleCounts, role: Role| {
        let one = &counts[&key][&role];
        (one.count, one.since.clone())
    };
    let first = next_counts(&BTreeMap::new(), &people, "1970-02-01");
    assert_eq!(of(&first, Role::Investigator), (2, "1970-01-08".into()));
    assert_eq!(of(&first, Role::Custodian), (0, "1970-01-10".into()));
    assert_eq!(next_counts(&first, &people, "1970-03-01"), first, "nothing changed");
    // A role changes hands: as many as before, so the day stays.
    people[0].roles = vec![Role::Supervisor];
    people[1].roles = vec![Role::Investigator];
    let second = next_counts(&first, &people, "1970-03-01");
    assert_eq!(of(&second, Role::Supervisor), (1, "1970-01-08".into()));
    assert_eq!(of(&second, Role::Investigator), (1, "1970-03-01".into()));
    people.push(member(5, None, &[Role::Overseer], 1, None));
    let third = next_counts(&second, &people, "1970-04-01");
    assert_eq!(third["deployment"][&Role::Overseer].since, "1970-04-01", "seen for the first time today");
}

proptest! {
    #[test]
    fn counts_are_those_of_the_people_and_the_order_of_records_does_not_show(
        drawn in proptest::collection::vec((0usize..4, proptest::bool::ANY, 0i64..300, 0usize..7, 0usize..7), 0..40),
        shift in 0usize..40,
    ) {
        let mut world = World::new();
        let mut people: Vec<Member> = Vec::new();
        for (at, (whose, active, day, one, two)) in drawn.iter().enumerate() {
            let mut roles = vec![Role::ALL[*one], Role::ALL[*two]];
            roles.sort_unstable();
            roles.dedup();
            let agency = world.agencies.get(*whose);
            let stopped = (!active).then_some(day + 1);
            people.push(member(u32::try_from(at).unwrap(), agency, &roles, *day, stopped));
        }
        world.roles = next_counts(&BTreeMap::new(), &people, "1970-04-11");
        let before = world.summary();
        let shown = before.agencies.iter().flat_map(|it| &it.members).chain(&before.deployment.members);
        let counted: u64 = shown.map(|one| u64::from(one.count)).sum();
        let active: usize = people.iter().filter(|it| it.active).map(|it| it.roles.len()).sum();
        prop_assert_eq!(counted, active as u64);
        if !people.is_empty() {
            let by = shift % people.len();
            people.rotate_left(by);
        }
        world.agencies.rotate_left(1);
        world.roles = next_counts(&BTreeMap::new(), &people, "1970-04-11");
        prop_assert_eq!(world.summary(), before);
    }
}
