//! The word to whoever opens a bundle.

use super::model::CaseFile;

/// README.txt.
pub(super) fn render(case: &CaseFile) -> String {
    format!(
        "Case {id}: {title}\n\
         Exported by {agency} at {at} with {made}.\n\
         \n\
         This folder is a court bundle of Canvass. It holds the original recordings that residents gave, what they\n\
         were asked, the consent they gave, everything that was done with each recording, and proofs that these\n\
         records stand in two public, append-only ledgers. Start with data/custody.pdf.\n\
         \n\
         To check all of it, without a network and without asking anyone, run this one command on the folder:\n\
         \n\
         \x20   canvass verify package .\n\
         \n\
         It names every file that is missing, added or changed, and ends with code 1 if there is any. To be independent\n\
         of this bundle, fetch the ledgers' keys from the server yourself (/ledger/keys.json), compare them with a copy\n\
         that a witness or newspaper has, and add: --keys keys.json\n\
         \n\
         Any tool for BagIt 1.0 (RFC 8493) checks the digests of the files, and `sha256sum -c manifest-sha256.txt`\n\
         checks those under data/. data/case.jsonld is CASE/UCO for forensic tools.\n",
        id = case.case,
        title = case.title.replace(|c: char| c.is_control(), " "),
        agency = case.agency.name.replace(|c: char| c.is_control(), " "),
        at = case.exported,
        made = case.made_with,
    )
}
