//! What is refused, by which rule, and what is not.

use super::rules;

/// Texts by the rule that refuses them.
const REFUSED: &[(&str, &[&str])] = &[
    (
        "identity",
        &[
            "recognize this face",
            "who is this man",
            "¿quién es este hombre?",
            "reconocimiento facial",
            "woman that looks like my sister",
            "same person as yesterday",
            "indentify the driver",
            "f4ce of the driver",
        ],
    ),
    (
        "names",
        &[
            "John in a blue shirt",
            "a man named peter",
            "find Oswaldo Quispe",
            "hombre llamado pedro",
            "the car of Annette",
            "señora garcía",
        ],
    ),
    (
        "personal-data",
        &[
            "man with phone number 555 1234",
            "ABC1234",
            "7ABC123",
            "jane@example.org",
            "vive en la calle mayor",
            "license plate of the red car",
            "5551234567",
        ],
    ),
    (
        "race",
        &[
            "black man",
            "a white woman in a red dress",
            "Asian guy",
            "hispanic male",
            "hombre negro",
            "mujer blanca con bolso",
            "dark skinned person",
            "persona morena",
            "a s i a n man",
            "as1an woman",
            "black, tall man",
            "black young male",
            "hisspanic male",
            "piel oscura",
            "gitano",
            "african-american",
        ],
    ),
    (
        "religion",
        &[
            "muslim woman",
            "woman in a hijab",
            "mujer con hiyab",
            "man with a turban",
            "jewish man",
            "judío",
            "people leaving the mosque",
            "mus1im",
            "mussslim",
            "monja",
        ],
    ),
    (
        "nationality",
        &[
            "mexican man",
            "undocumented worker",
            "inmigrante",
            "chinese woman",
            "extranjeros",
            "indocumentado",
            "migrants",
            "venezolana",
        ],
    ),
    (
        "disability",
        &[
            "person in a wheelchair",
            "man with a limp",
            "mujer embarazada",
            "silla de ruedas",
            "pregnant woman",
            "autistic boy",
            "wheelchiar user",
        ],
    ),
    (
        "orientation",
        &[
            "gay couple",
            "lesbian",
            "trans woman",
            "mujer trans",
            "person with a pride flag",
            "travesti",
            "l g b t",
        ],
    ),
    (
        "assembly",
        &[
            "protesters downtown",
            "person holding a sign",
            "manifestación",
            "people at the rally",
            "huelga",
            "pr0test",
            "protesst",
            "man with maga hat",
            "pancarta",
            "union members",
            "p.r.o.t.e.s.t",
        ],
    ),
    ("slurs", &["sexy woman", "faggot", "puta", "naked man", "n1gger", "thug in hoodie", "b1tch", "f.a.g"]),
];

#[test]
fn what_must_not_be_searched_for_is_refused_by_its_rule() {
    let mut wrong = Vec::new();
    for (rule, texts) in REFUSED.iter().copied() {
        for text in texts {
            match rules().check(text) {
                Err(refusal) => {
                    assert!(!refusal.reason.is_empty() && !refusal.words.is_empty(), "{refusal:?}");
                    if refusal.rule != rule {
                        wrong.push(format!("{text:?} is refused by {} and not by {rule}", refusal.rule));
                    }
                }
                Ok(()) => wrong.push(format!("{text:?} is not refused by {rule}")),
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn descriptions_are_allowed() {
    let texts = [
        "man in blue shirt and cowboy hat",
        "hombre con camisa azul y sombrero vaquero",
        "man in black",
        "hombre de negro",
        "woman with black jacket and white shoes",
        "mujer con falda blanca",
        "person in a black shirt man",
        "black car",
        "coche negro",
        "a white van with a person",
        "Red Toyota pickup",
        "Blue Ford",
        "brown dog and a person in a brown coat",
        "persona con perro marrón",
        "person on a bicycle with a backpack",
        "ciclista con mochila roja",
        "someone protected by an umbrella",
        "Woman In Red Dress",
        "a person carrying a box walking past parked cars",
        "niño con gorra amarilla",
        "yellow school bus",
        "two people with 2 dogs",
        "person with a white shirt, black pants",
        "four door sedan",
        "orange hi-vis vest",
        "Persona caminando con maleta",
        "police car",
    ];
    let refused: Vec<_> =
        texts.iter().filter_map(|text| rules().check(text).err().map(|refusal| (text, refusal))).collect();
    assert!(refused.is_empty(), "{refused:#?}");
}

#[test]
fn every_rule_says_what_it_is_about_in_both_languages() {
    for rule in rules().all() {
        for text in [&rule.id, &rule.title_en, &rule.title_es, &rule.reason_en, &rule.reason_es] {
            assert!(!text.trim().is_empty(), "{}", rule.id);
        }
        assert!(rule.words.len() > 10, "{}", rule.id);
        for phrase in &rule.words {
            let Some(clean) = (!phrase.contains('*')).then_some(phrase) else { continue };
            assert!(rules().check(clean).is_err(), "{}: {phrase} is not refused by itself", rule.id);
        }
    }
}

#[test]
fn no_word_of_descriptions_is_refused_by_itself() {
    let text = include_str!("../../data/words.toml");
    let listed: toml::Table = toml::from_str(text).unwrap();
    for entry in listed["word"].as_array().unwrap() {
        for language in ["en", "es"] {
            let phrases = entry.get(language).and_then(|list| list.as_array());
            for phrase in phrases.into_iter().flatten().filter_map(|phrase| phrase.as_str()) {
                assert_eq!(rules().check(phrase), Ok(()), "{phrase}");
            }
        }
    }
}
