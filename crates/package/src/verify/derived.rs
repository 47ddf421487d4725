//! Files for people and other tools repeat the records; each is made once more and compared.

use super::{Bundle, read};
use crate::{layout, readme, report::Report, write};

pub(super) fn check(bundle: &Bundle, report: &mut Report) {
    let case = &bundle.contents.case;
    let Ok(files) = write::records(&bundle.contents) else { return };
    let readme = (layout::README.to_owned(), readme::render(case).into_bytes());
    let why = if case.made_with == crate::MADE_WITH {
        "it does not say what the records of the bundle say; rely on the records"
    } else {
        "it was made by another version: verify with that one, or rely on the records alone"
    };
    for (path, bytes) in files.into_iter().chain([readme]) {
        let repeats =
            path.ends_with(".csv") || [layout::PDF, layout::JSONLD, layout::README].contains(&path.as_str());
        if repeats && read(&bundle.dir.join(&path)).is_ok_and(|found| found != bytes) {
            report.defect(path, "is not what the records give", why);
        }
    }
}
