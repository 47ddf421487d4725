//! What holds of every decision, whoever asks for whatever.

use std::sync::OnceLock;

use canvass_policy::{
    Decision, Facts, Method, Need, Party, PolicySet, Question, Reach, SharingFacts, SharingScope, Subject,
    shipped_texts,
};
use canvass_types::{AgencyClass, AgencyState, Role};
use proptest::prelude::*;

use crate::support::{NOW, party, question};

fn shipped() -> &'static PolicySet {
    static SET: OnceLock<PolicySet> = OnceLock::new();
    SET.get_or_init(|| PolicySet::shipped().unwrap())
}

fn decide(question: &Question) -> Decision {
    shipped().decide(question)
}

fn agency(id: &'static str) -> impl Strategy<Value = Party> {
    let classes = ["municipal", "county", "state", "federal", "campus", "tribal", "other"];
    let states = ["US-NH", "US-VA", "US-WA", "US-OR", "US-CA", "US-IL", "US-TX"];
    let standing =
        [AgencyState::Verified, AgencyState::Verified, AgencyState::Registered, AgencyState::Suspended];
    (
        proptest::sample::select(classes.to_vec()),
        proptest::sample::select(states.to_vec()),
        proptest::sample::select(standing.to_vec()),
    )
        .prop_map(move |(class, state, standing)| Party { standing, ..party(shipped(), id, class, state) })
}

fn sharing() -> impl Strategy<Value = SharingFacts> {
    let scope = proptest::sample::select(SharingScope::ALL.to_vec());
    (scope, any::<bool>(), any::<bool>(), -2i64..2, -2i64..3, proptest::option::of(0u32..300), 0u32..300)
        .prop_map(|(scope, named, accepted, from, until, distance_km, within_km)| SharingFacts {
            scope,
            named,
            accepted,
            from: NOW + from,
            until: NOW + until,
            distance_km,
            within_km,
        })
}

fn facts() -> impl Strategy<Value = Facts> {
    let set = shipped();
    let mut purposes: Vec<String> = set.purposes().classes().iter().map(|class| class.id.clone()).collect();
    purposes.push("none".into());
    let offences: Vec<String> = set.purposes().offences().iter().map(|offence| offence.id.clone()).collect();
    let words = (
        proptest::sample::select(purposes),
        proptest::sample::select(offences),
        proptest::sample::select(Method::ALL.to_vec()),
        proptest::sample::select(vec!["none", "judicial", "administrative", "agency"]),
    );
    let scope = (0u32..800, 0u32..120, 0u32..80, 0u32..3);
    let yes = proptest::array::uniform8(any::<bool>());
    (words, scope, yes, proptest::option::of(sharing())).prop_map(
        |((purpose, offence, method, basis), scope, yes, sharing)| {
            let [case_open, warrant, others_proposal, hits_only, compared, listed, declared, break_glass] =
                yes;
            let (cameras, days, agencies, approvals) = scope;
            Facts {
                purpose,
                offence,
                case_open,
                warrant,
                approvals,
                others_proposal,
                cameras,
                days,
                agencies,
                method,
                basis: basis.to_owned(),
                hits_only,
                compared,
                listed,
                declared,
                break_glass,
                now: NOW,
                sharing,
            }
        },
    )
}

fn any_question() -> impl Strategy<Value = Question> {
    let actions: Vec<String> = shipped().table().rows().map(|(action, _)| action.to_owned()).collect();
    let searches: Vec<String> =
        actions.iter().filter(|action| action.starts_with("plate.")).cloned().collect();
    let action = prop_oneof![proptest::sample::select(actions), proptest::sample::select(searches)];
    let roles = proptest::collection::vec(proptest::sample::select(Role::ALL.to_vec()), 0..3);
    let owner = prop_oneof![Just(None), Just(Some(true)), Just(Some(false))];
    (roles, proptest::option::of(agency("ours")), agency("theirs"), action, owner, facts()).prop_map(
        |(roles, agency, theirs, action, owner, facts)| {
            let owner = owner.and_then(|own| if own { agency.clone() } else { Some(theirs) });
            Question { subject: Subject { id: "mbr".into(), roles, agency }, action, owner, facts }
        },
    )
}

fn opens(action: &str) -> bool {
    [
        "plate.",
        "footage.search",
        "camera.read",
        "offer.open",
        "item.read",
        "case.export",
        "key.read",
        "alert.confirm",
    ]
    .iter()
    .any(|start| action.starts_with(start))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_question_conforms_and_its_answer_says_why(question in any_question()) {
        prop_assert!(shipped().conforms(&question).is_ok());
        let decision = decide(&question);
        prop_assert!(!decision.by.is_empty() && decision.by.len() == decision.because.len());
        prop_assert!(decision.because.iter().all(|text| !text.is_empty()));
        prop_assert!(!decision.allowed || decision.needs.is_empty());
        prop_assert!(!decision.by.iter().any(|id| id.starts_with("policy.")), "{decision:?}");
        prop_assert_eq!(decide(&question), decision);
    }

    #[test]
    fn the_operator_opens_nothing(mut question in any_question()) {
        question.subject.roles.push(Role::Operator);
        prop_assert!(!opens(&question.action) || !decide(&question).allowed);
    }

    #[test]
    fn nothing_of_another_agency_opens_unless_its_owner_shares_it(mut question in any_question(), theirs in agency("theirs")) {
        question.owner = Some(theirs);
        question.facts.sharing = None;
        prop_assert!(!opens(&question.action) || !decide(&question).allowed);
    }

    #[test]
    fn a_rule_reaches_a_federal_agency_by_name_only(mut question in any_question(), theirs in agency("theirs"), mut sharing in sharing()) {
        sharing.named = false;
        question.owner = Some(theirs);
        question.facts.sharing = Some(sharing);
        if let Some(ours) = &mut question.subject.agency {
            ours.class = AgencyClass::Federal;
        }
        let outside = question.subject.agency.is_none();
        prop_assert!(outside || !opens(&question.action) || !decide(&question).allowed);
    }

    #[test]
    fn a_rule_out_of_its_dates_shares_nothing(mut question in any_question(), theirs in agency("theirs"), mut sharing in sharing()) {
        sharing.until = NOW;
        question.owner = Some(theirs);
        question.facts.sharing = Some(sharing);
        prop_assert!(!opens(&question.action) || !decide(&question).allowed);
    }

    #[test]
    fn faces_names_and_protected_characteristics_find_nothing(mut question in any_question(), at in 0usize..3) {
        question.action = "footage.search".into();
        question.facts.method = [Method::Face, Method::Name, Method::Protected][at];
        prop_assert!(!decide(&question).allowed);
    }

    #[test]
    fn a_narrower_search_is_never_harder(question in any_question(), less in (0u32..100, 0u32..500, 0u32..50)) {
        if decide(&question).allowed {
            let mut narrow = question.clone();
            narrow.facts.days = question.facts.days.saturating_sub(less.0);
            narrow.facts.cameras = question.facts.cameras.saturating_sub(less.1);
            narrow.facts.agencies = question.facts.agencies.saturating_sub(less.2);
            prop_assert!(decide(&narrow).allowed, "{:?}", decide(&narrow));
        }
    }

    #[test]
    fn what_is_needed_is_enough(mut question in any_question()) {
        let decision = decide(&question);
        for need in &decision.needs {
            match need {
                Need::OpenCase => question.facts.case_open = true,
                Need::SecondPerson => question.facts.approvals = 1,
                Need::Warrant => question.facts.warrant = true,
                Need::Declaration => question.facts.declared = true,
                Need::Comparison => (question.facts.compared, question.facts.listed) = (true, true),
                Need::HitsOnly => question.facts.hits_only = true,
                Need::BreakGlass => question.facts.break_glass = true,
                // Another purpose or offence is another question, with needs of its own.
                Need::Purpose | Need::Offence => return Ok(()),
            }
        }
        prop_assert_eq!(decide(&question).allowed, decision.allowed || !decision.needs.is_empty());
    }

    #[test]
    fn more_evidence_of_good_cause_never_refuses(question in any_question()) {
        if decide(&question).allowed {
            let mut more = question;
            let facts = &mut more.facts;
            facts.others_proposal = true;
            (facts.case_open, facts.warrant, facts.compared, facts.listed, facts.declared) = (true, true, true, true, true);
            facts.approvals += 1;
            prop_assert!(decide(&more).allowed);
        }
    }
}

#[test]
fn the_rules_of_roles_are_the_table_cell_by_cell() {
    let mut texts = shipped_texts();
    texts.retain(|path, _| !path.ends_with(".cedar") || path == "roles.cedar");
    let set = PolicySet::load(&texts).unwrap_or_else(|errors| panic!("{errors}"));
    let mut cells = 0;
    for (action, _) in set.table().rows() {
        for role in Role::ALL {
            let reach = set.table().reach(action, role);
            for (whose, may) in [
                ("own", reach != Reach::Never),
                ("of:county:US-TX", reach == Reach::Any),
                ("nobody's", reach == Reach::Any),
            ] {
                let asked = question(&set, &format!("{} municipal US-TX {action} {whose}", role.as_str()));
                assert_eq!(set.decide(&asked).allowed, may, "{action} {whose} {}", role.as_str());
                cells += 1;
            }
        }
    }
    assert!(cells > 1_000);
}

#[test]
fn what_is_not_known_is_refused() {
    let mut asked = question(shipped(), "investigator municipal US-NH plate.search own hits");
    assert!(decide(&asked).allowed);
    asked.action = "plate.everything".into();
    assert_eq!(decide(&asked).by, ["policy.action"]);
    asked.action = "search".into();
    assert_eq!(decide(&asked).by, ["policy.action"], "a group is no action");
    asked.action = "plate.search".into();
    asked.owner = asked.owner.map(|owner| Party { profile: "us-xx".into(), ..owner });
    assert_eq!(decide(&asked).by, ["policy.profile"]);
}

#[test]
fn a_refusal_is_worded_for_the_person_whom_it_stops() {
    let set = shipped();
    let hits = set.decide(&question(set, "investigator municipal US-NH plate.search own"));
    assert_eq!(
        hits.because,
        [
            "New Hampshire: reads that met no list are gone after 3 minutes; only hits can be searched. (RSA 261:75-b, VIII)"
        ]
    );
    assert!(!hits.is_nobodys());
    let role = set.decide(&question(set, "custodian municipal US-TX plate.search own"));
    assert_eq!(role.because, ["None of your roles may do this; it takes one of: investigator, supervisor."]);
    assert!(role.is_nobodys());
    assert_eq!(set.rule("caps.case").unwrap().needs, Some(Need::OpenCase));
}

/// `cargo test --release -p canvass-policy -- --ignored --nocapture speed`
#[test]
#[ignore = "prints a time"]
#[expect(clippy::disallowed_methods, reason = "a measurement reads the machine's clock")]
fn speed() {
    let set = shipped();
    for line in [
        "investigator municipal US-NH plate.search own hits",
        "investigator municipal US-OK plate.search of:county:US-TX share=distance km=80/100",
        "investigator municipal US-TX plate.convoy own",
        "investigator municipal US-TX item.read own",
    ] {
        let asked = question(set, line);
        let rounds = 20_000u32;
        let begun = std::time::Instant::now();
        let allowed = (0..rounds).filter(|_| set.decide(&asked).allowed).count();
        println!("{:?} a decision ({allowed} of {rounds} allowed): {line}", begun.elapsed() / rounds);
    }
}
