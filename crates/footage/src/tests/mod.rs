//! Tests of words, rules and search together.

mod queries;
mod refusals;
mod searches;
mod vectors;

use crate::{Rules, Words};

fn words() -> Words {
    Words::built_in().unwrap()
}

fn rules() -> Rules {
    Rules::built_in().unwrap()
}
