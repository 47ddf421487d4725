//! The files under `policies/`: complete, checked, equal to the tables that people review.

use std::{collections::BTreeMap, fs, path::PathBuf};

use canvass_policy::{PolicySet, Table, Texts, roles_cedar, shipped_texts};

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../policies")
}

fn on_disk() -> Texts {
    let mut texts = BTreeMap::new();
    for below in ["", "profiles"] {
        for entry in fs::read_dir(folder().join(below)).unwrap() {
            let path = entry.unwrap().path();
            let ending = path.extension().unwrap_or_default().to_string_lossy().into_owned();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let table = name.starts_with("roles") && ending == "txt";
            let ours = ["cedar", "cedarschema"].contains(&&*ending)
                || table
                || (ending == "toml"
                    && !["content-rules.toml", "misuse.toml", "text-hints.toml"].contains(&&*name));
            if path.is_file() && ours {
                let key = if below.is_empty() { name } else { format!("{below}/{name}") };
                texts.insert(key, fs::read_to_string(&path).unwrap());
            }
        }
    }
    texts
}

#[test]
fn every_file_is_in_the_executable() {
    assert_eq!(on_disk(), shipped_texts());
}

#[test]
fn the_roles_of_cedar_are_those_of_the_tables() {
    let table = Table::read(&on_disk()).unwrap();
    let made = roles_cedar(&table);
    let path = folder().join("roles.cedar");
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, &made).unwrap();
    }
    assert_eq!(fs::read_to_string(&path).unwrap(), made, "run UPDATE=1 cargo test -p canvass-policy");
}

#[test]
fn what_ships_is_well_formed() {
    let set = PolicySet::load(&on_disk()).unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(set.profiles().len(), 7);
    assert_eq!(set.version().len(), 12);
    assert_eq!(set.profile_for("US-NH").unwrap().id, "us-nh");
    assert_eq!(set.profile_for("US-TX").unwrap().id, "default");
}

fn errors(change: impl FnOnce(&mut Texts)) -> Vec<String> {
    let mut texts = shipped_texts();
    change(&mut texts);
    let errors = PolicySet::load(&texts).err();
    errors.into_iter().flat_map(|errors| errors.0).map(|error| error.to_string()).collect()
}

fn edit(file: &str, from: &str, to: &str) -> Vec<String> {
    errors(|texts| {
        let text = texts.get_mut(file).unwrap();
        assert!(text.contains(from), "{file} has no {from}");
        *text = text.replacen(from, to, 1);
    })
}

#[test]
fn a_mistake_is_named_with_file_line_and_remedy() {
    for (file, from, to, start, word) in [
        ("caps.cedar", "@id(\"caps.case\")", "@id(\"caps.case\"", "caps.cedar:", "unexpected token"),
        ("caps.cedar", "@id(\"caps.case\")\n", "", "caps.cedar: policy 2", "@id"),
        ("caps.cedar", "@id(\"caps.case\")", "@id(\"case\")", "caps.cedar:", "name its file"),
        ("caps.cedar", "@needs(\"open-case\")", "@needs(\"a case\")", "caps.cedar:", "open-case"),
        ("caps.cedar", "context.caseOpen", "context.caseIsOpen", "caps.cedar:", "caseOpen"),
        ("caps.cedar", "context.days > 90", "context.days > \"90\"", "caps.cedar:", "type"),
        (
            "caps.cedar",
            "@id(\"caps.class\")",
            "@id(\"caps.case\")",
            "caps.cedar:",
            "stands already at caps.cedar:",
        ),
        ("never.cedar", "Action::\"asks\"", "Action::\"ask\"", "never.cedar:", "ask"),
        ("canvass.cedarschema", "entity Role;", "entity Role", "canvass.cedarschema:", "entity"),
        ("canvass.cedarschema", "\"agency.read\", ", "", "roles.txt:7", "canvass.cedarschema"),
        (
            "roles.txt",
            "agency.read                any ",
            "agency.read                some ",
            "roles.txt:7",
            "write any, own or -",
        ),
        (
            "roles.txt",
            "agency.read                any ",
            "agency.read                -   ",
            "roles.cedar:",
            "otherwise than the tables",
        ),
        ("purposes.toml", "\"police business\"", "\"police-business\"", "purposes.toml:", "no pattern"),
        ("profiles/us-wa.toml", "\"immigrant*\"", "\"*\"", "profiles/us-wa.toml:", "no pattern"),
        ("purposes.toml", "words = 3", "words = \"3\"", "purposes.toml:", "expected usize"),
        (
            "profiles/us-nh.toml",
            "\"us-nh\"\ntitle",
            "\"us-vt\"\ntitle",
            "profiles/us-nh.toml:",
            "name of its file",
        ),
        (
            "profiles/us-nh.toml",
            "forbidden = [\"immigration\"]",
            "forbidden = [\"imigration\"]",
            "profiles/us-nh.toml:",
            "no purpose",
        ),
        (
            "profiles/us-nh.cedar",
            "@law(\"RSA 261:75-b, VI\")",
            "@law(\"RSA 261\")",
            "profiles/us-nh.cedar:",
            "@law(\"RSA 261:75-b, VI\")",
        ),
        ("profiles/us-nh.cedar", "forbid (", "permit (", "profiles/us-nh.cedar:", "only forbids"),
    ] {
        let errors = edit(file, from, to);
        assert!(
            errors.iter().any(|error| error.starts_with(start) && error.contains(word)),
            "{from} → {to}: {errors:#?}"
        );
    }
    let gone = errors(|texts| {
        texts.remove("profiles/default.toml");
        texts.insert("notes.md".into(), String::new());
    });
    assert!(gone.iter().any(|error| error.starts_with("notes.md: is no file")), "{gone:#?}");
}

#[test]
fn the_line_of_a_mistake_is_the_right_one() {
    let texts = shipped_texts();
    let at = texts["caps.cedar"].lines().position(|line| line.contains("context.caseOpen")).unwrap() + 1;
    let errors = edit("caps.cedar", "context.caseOpen", "context.caseIsOpen");
    assert!(errors[0].starts_with(&format!("caps.cedar:{at}: ")), "{errors:#?}");
}

#[test]
fn the_digest_names_the_files_and_nothing_else() {
    let set = PolicySet::shipped().unwrap();
    let mut texts = shipped_texts();
    assert_eq!(PolicySet::load(&texts).unwrap().digest(), set.digest());
    for text in texts.values_mut() {
        *text = text.replace('\n', "\r\n");
    }
    assert_eq!(PolicySet::load(&texts).unwrap().digest(), set.digest(), "line ends are no change");
    let mut texts = shipped_texts();
    texts.get_mut("never.cedar").unwrap().push_str("// one more remark\n");
    assert_ne!(PolicySet::load(&texts).unwrap().digest(), set.digest());
}
