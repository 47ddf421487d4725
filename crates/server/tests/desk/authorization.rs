//! Every operation of the description, tried without a token and with a role that the table of rights forbids.

use std::collections::BTreeMap;

use canvass_core::access::{Gate, Reach};
use canvass_server::openapi;
use canvass_types::Role;
use reqwest::Method;
use serde_json::Value;

use crate::support::{Agency, Canvass};

struct Case {
    method: String,
    path: String,
    action: String,
}

/// `tests/authorization.txt`: method, path, and the action that the route takes (`signed-in`, `open` for none).
fn table() -> Vec<Case> {
    include_str!("../authorization.txt")
        .lines()
        .filter(|line| !line.trim().is_empty() && !line.starts_with('#'))
        .map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            assert_eq!(words.len(), 3, "{line}");
            Case { method: words[0].into(), path: words[1].into(), action: words[2].into() }
        })
        .collect()
}

fn operations() -> BTreeMap<(String, String), Value> {
    let document = serde_json::to_value(openapi()).unwrap();
    let mut found = BTreeMap::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            if ["get", "put", "post", "patch", "delete"].contains(&method.as_str()) {
                found.insert((method.to_uppercase(), path.clone()), operation.clone());
            }
        }
    }
    found
}

#[test]
fn the_table_names_every_operation_and_no_other() {
    let listed: Vec<(String, String)> = table().into_iter().map(|case| (case.method, case.path)).collect();
    let operations = operations();
    for case in &listed {
        assert!(operations.contains_key(case), "tests/authorization.txt names {case:?}, which is no route");
    }
    for operation in operations.keys() {
        assert!(listed.contains(operation), "add {operation:?} to tests/authorization.txt, with its action");
    }
    let policies = Gate::shipped().unwrap().policies();
    let matrix = policies.table();
    for case in table() {
        let known = ["open", "signed-in"].contains(&case.action.as_str())
            || matrix.rows().any(|(each, _)| each == case.action);
        assert!(known, "{} is no action of policies/roles.txt", case.action);
    }
}

fn filled(path: &str, agency: &Agency, request: &str) -> String {
    path.replace("{agency}", &agency.id)
        .replace("{member}", &agency.investigator_id)
        .replace("{request}", request)
        .replace("{destination}", request)
        .replace("{key}", "0123456789abcdef")
        .replace("{number}", "1")
        .replace("{token}", "tok_aaaaaaaaaaaaaaaaaaaaaaaaaa")
        .replace("{passkey}", "psk_aaaaaaaaaaaaaaaaaaaaaaaaaa")
        .replace("{account}", "acc_aaaaaaaaaaaaaaaaaaaaaaaaaa")
        .replace("{session}", "ses_aaaaaaaaaaaaaaaaaaaaaaaaaa")
        .replace("{enrolment}", "enr_aaaaaaaaaaaaaaaaaaaaaaaaaa")
        .replace("{portal}", "por_aaaaaaaaaaaaaaaaaaaaaaaaaa")
        .replace("{invitation}", "inv_aaaaaaaaaaaaaaaaaaaaaaaaaa")
        .replace("{offer}", "off_aaaaaaaaaaaaaaaaaaaaaaaaaa")
        .replace("{case}", "cas_aaaaaaaaaaaaaaaaaaaaaaaaaa")
        .replace("{item}", "itm_aaaaaaaaaaaaaaaaaaaaaaaaaa")
        .replace("{glass}", "bgl_aaaaaaaaaaaaaaaaaaaaaaaaaa")
        .replace("{finding}", "fnd_aaaaaaaaaaaaaaaaaaaaaaaaaa")
        .replace("{seal}", "csl_aaaaaaaaaaaaaaaaaaaaaaaaaa")
        .replace("{hold}", "hld_aaaaaaaaaaaaaaaaaaaaaaaaaa")
        .replace("{proposal}", "prp_aaaaaaaaaaaaaaaaaaaaaaaaaa")
        .replace("{rule}", "shr_aaaaaaaaaaaaaaaaaaaaaaaaaa")
        .replace("{hotlist}", "htl_aaaaaaaaaaaaaaaaaaaaaaaaaa")
        .replace("{version}", "hlv_aaaaaaaaaaaaaaaaaaaaaaaaaa")
        .replace("{entry}", "aud_aaaaaaaaaaaaaaaaaaaaaaaaaa")
        .replace("{read}", "rea_aaaaaaaaaaaaaaaaaaaa")
        .replace("{sighting}", "sgt_aaaaaaaaaaaaaaaaaaaaaaaaaa")
        .replace("{approval}", "apv_aaaaaaaaaaaaaaaaaaaaaaaaaa")
        .replace("{kept}", "krd_aaaaaaaaaaaaaaaaaaaaaaaaaa")
        .replace("{alert}", "alr_aaaaaaaaaaaaaaaaaaaaaaaaaa")
        .replace("{camera}", "cam_aaaaaaaaaaaaaaaaaaaaaaaaaa")
        .replace("{webhook}", "whk_aaaaaaaaaaaaaaaaaaaaaaaaaa")
        .replace("{push}", "psh_aaaaaaaaaaaaaaaaaaaaaaaaaa")
        .replace("{notice}", "ntc_aaaaaaaaaaaaaaaaaaaaaaaaaa")
}

#[tokio::test(flavor = "multi_thread")]
async fn no_route_answers_whom_the_table_of_rights_forbids() {
    let mut canvass = Canvass::start().await;
    let agency = Agency::new(&canvass).await;
    let (request, _) = agency.submit(&canvass, "26-7").await;
    let policies = Gate::shipped().unwrap().policies();
    let matrix = policies.table();
    let operations = operations();
    let tokens = [
        (Role::Investigator, &agency.investigator),
        (Role::Supervisor, &agency.supervisor),
        (Role::Custodian, &agency.custodian),
        (Role::Administrator, &agency.administrator),
        (Role::Moderator, &agency.moderator),
        (Role::Overseer, &agency.overseer),
        (Role::Operator, &canvass.operator),
    ];
    let mut tried = 0;
    for case in table().iter().filter(|case| case.action != "open") {
        let operation = &operations[&(case.method.clone(), case.path.clone())];
        let body = operation.pointer("/requestBody/content/application~1json/example");
        let path = filled(case.path.strip_prefix("/api/v1").unwrap(), &agency, &request);
        let method: Method = case.method.parse().unwrap();
        let (status, _) = canvass.call("", method.clone(), &path, body).await;
        assert_eq!(status, 401, "{} {} without a token", case.method, case.path);
        let (status, _) = canvass.call("cvt_0000", method.clone(), &path, body).await;
        assert_eq!(status, 401, "{} {} with a wrong token", case.method, case.path);
        if case.action == "signed-in" {
            continue;
        }
        for (role, token) in &tokens {
            if matrix.reach(&case.action, *role) != Reach::Never {
                continue;
            }
            let (status, answer) = canvass.call(token, method.clone(), &path, body).await;
            // Own agency's lists answer who has none with 409 or 404; nobody forbidden gets anything.
            let refused = [403, 404, 409].contains(&status.as_u16());
            assert!(refused, "{} {} by {}: {status} {answer}", case.method, case.path, role.as_str());
            tried += 1;
        }
    }
    assert!(tried > 150, "{tried}");
    canvass.stop().await;
}
