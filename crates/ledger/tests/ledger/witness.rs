use std::collections::BTreeMap;

use canvass_ledger::witness::{AddCheckpoint, MemWitnessState, Outcome, Witness, WitnessState, read_answer};
use canvass_ledger::{SignedCheckpoint, Trust};

use crate::common::{NOW, ORIGIN, entries, new_log, signer, wait, witness_key};

#[test]
fn a_log_and_a_witness_keep_step() {
    wait(async {
        let (_, mut log) = new_log().await;
        let logs = BTreeMap::from([(ORIGIN.to_owned(), vec![signer().verifier().clone()])]);
        let witness = Witness::new(vec![witness_key(7)], logs, MemWitnessState::default()).unwrap();
        let keys = [witness_key(7).verifier().clone()];
        let mut known = 0;
        for round in 0..4 {
            log.append(&entries(round * 130, 130), NOW).await.unwrap();
            if round == 1 {
                // The witness missed a round.
                continue;
            }
            let ask =
                |old, proof| AddCheckpoint { old, proof, checkpoint: log.checkpoint().clone() }.to_body();
            if round == 2 {
                let answer = witness.add_checkpoint(ask(0, vec![]).as_bytes(), NOW).await;
                let text = &log.checkpoint().note.text;
                let outcome = read_answer(answer.status(), answer.body().as_bytes(), text, &keys).unwrap();
                assert_eq!(outcome, Outcome::Conflict(130));
                assert_eq!(answer.content_type(), "text/x.tlog.size");
            }
            let proof = log.consistency_proof(known, log.size()).await.unwrap();
            let answer = witness.add_checkpoint(ask(known, proof).as_bytes(), NOW + round).await;
            let text = &log.checkpoint().note.text;
            let outcome = read_answer(answer.status(), answer.body().as_bytes(), text, &keys).unwrap();
            let Outcome::Cosigned(lines) = outcome else { panic!("{outcome:?}") };
            log.attach_cosignatures(&lines, &keys).await.unwrap();
            known = log.size();
        }
        let strict = Trust::new(ORIGIN, signer().verifier().clone(), keys.to_vec(), 1).unwrap();
        strict.check(log.checkpoint().to_string().as_bytes()).unwrap();
        // What the witness keeps is what it may publish.
        let kept = witness.state().latest(ORIGIN).await.unwrap().unwrap();
        strict.check(kept.as_bytes()).unwrap();
        assert_eq!(SignedCheckpoint::parse(kept.as_bytes()).unwrap().checkpoint.size, 520);
    });
}

#[test]
fn answers_are_not_believed_blindly() {
    let keys = [witness_key(7).verifier().clone()];
    let text = "o\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n";
    let good = format!("{}\n", witness_key(7).cosign(text, NOW).unwrap());
    let stranger = format!("{}\n", witness_key(8).cosign(text, NOW).unwrap());
    let other = format!("{}\n", witness_key(7).cosign("o\n1\n", NOW).unwrap());
    assert!(read_answer(200, good.as_bytes(), text, &keys).is_ok());
    assert!(read_answer(200, format!("{stranger}{good}").as_bytes(), text, &keys).is_ok());
    for (status, body) in [
        (200, ""),
        (200, good.trim_end()),
        (200, stranger.as_str()),
        (200, other.as_str()),
        (409, ""),
        (409, "5"),
        (409, "05\n"),
        (409, "99999999999999999999\n"),
        (404, "5\n"),
        (500, good.as_str()),
    ] {
        assert!(read_answer(status, body.as_bytes(), text, &keys).is_err(), "{status} {body}");
    }
}
