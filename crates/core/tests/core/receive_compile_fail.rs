//! What must not compile: evidence without a recorded reason, and a change that nothing records.

#[test]
fn evidence_and_changes_take_a_recorded_intent() {
    trybuild::TestCases::new().compile_fail("tests/compile_fail/*.rs");
}
