//! Tag files: their encoding, their lines, `bagit.txt`, `bag-info.txt` and `fetch.txt`.

use encoding_rs::Encoding;

use super::defect::DefectKind;

/// What a parser found wrong: kind, line, text.
pub(crate) type Problem = (DefectKind, Option<usize>, String);

/// The bag declaration (RFC 8493 section 2.1.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Declaration {
    pub(crate) version: Version,
    pub(crate) encoding: &'static Encoding,
}

/// Which rules hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Version {
    V096,
    V097,
    V100,
}

pub(crate) fn parse_declaration(bytes: &[u8]) -> Result<Declaration, Problem> {
    if bytes.starts_with(&[0xEF, 0xBB, 0xBF]) {
        return Err((DefectKind::ByteOrderMark, Some(1), "starts with a byte order mark".to_owned()));
    }
    let bad = |line: usize, text: &str| (DefectKind::BadDeclaration, Some(line), text.to_owned());
    let text = std::str::from_utf8(bytes).map_err(|_| bad(1, "isn't UTF-8"))?;
    let lines = lines(text);
    let mut rows = lines.iter().filter(|(_, l)| !l.trim().is_empty());
    let (Some((_, first)), Some((second_line, second)), None) = (rows.next(), rows.next(), rows.next())
    else {
        return Err(bad(1, "doesn't have exactly two lines, BagIt-Version and Tag-File-Character-Encoding"));
    };
    let number = field(first, "BagIt-Version").ok_or_else(|| bad(1, "the line isn't BagIt-Version: M.N"))?;
    let version = parse_version(number)?;
    let label = "Tag-File-Character-Encoding";
    let name = field(second, label)
        .ok_or_else(|| bad(*second_line, "the line isn't Tag-File-Character-Encoding: NAME"))?;
    if version >= Version::V100 && strict_field(first, "BagIt-Version").is_none() {
        return Err(bad(1, "white space around the colon or the value, which version 1.0 forbids"));
    }
    if version >= Version::V100 && strict_field(second, label).is_none() {
        return Err(bad(
            *second_line,
            "white space around the colon or the value, which version 1.0 forbids",
        ));
    }
    let encoding = Encoding::for_label(name.trim().as_bytes()).ok_or_else(|| {
        (DefectKind::UnsupportedEncoding, Some(*second_line), format!("the encoding {name:?} isn't known"))
    })?;
    Ok(Declaration { version, encoding })
}

fn parse_version(number: &str) -> Result<Version, Problem> {
    let digits = |s: &str| !s.is_empty() && s.len() < 6 && s.bytes().all(|b| b.is_ascii_digit());
    let formed = number.split_once('.').is_some_and(|(major, minor)| digits(major) && digits(minor));
    if !formed {
        return Err((DefectKind::BadDeclaration, Some(1), format!("the version {number:?} isn't M.N")));
    }
    match number {
        "1.0" => Ok(Version::V100),
        "0.97" => Ok(Version::V097),
        "0.96" => Ok(Version::V096),
        _ => Err((
            DefectKind::UnsupportedVersion,
            Some(1),
            format!("version {number} isn't read here, only 1.0, 0.97 and 0.96"),
        )),
    }
}

fn field<'a>(line: &'a str, label: &str) -> Option<&'a str> {
    let (found, value) = line.split_once(':')?;
    (found.trim() == label).then(|| value.trim())
}

fn strict_field<'a>(line: &'a str, label: &str) -> Option<&'a str> {
    let value = line.strip_prefix(label)?.strip_prefix(": ")?;
    (value.trim() == value && !value.is_empty()).then_some(value)
}

/// Decodes a tag file. The second value says that a byte order mark was dropped where UTF-8 has none.
pub(crate) fn decode(bytes: &[u8], encoding: &'static Encoding) -> Option<(String, bool)> {
    let (text, _, malformed) = encoding.decode(bytes);
    let marked = encoding == encoding_rs::UTF_8 && bytes.starts_with(&[0xEF, 0xBB, 0xBF]);
    (!malformed).then(|| (text.into_owned(), marked))
}

/// Lines ending in LF, CR or CRLF (RFC 8493 section 2.1.3), numbered from 1.
pub(crate) fn lines(text: &str) -> Vec<(usize, &str)> {
    let mut out = Vec::new();
    let mut rest = text;
    let mut number = 0_usize;
    while !rest.is_empty() {
        number = number.saturating_add(1);
        let end = rest.find(['\r', '\n']).unwrap_or(rest.len());
        let (line, tail) = rest.split_at(end);
        out.push((number, line));
        rest = tail.strip_prefix("\r\n").or_else(|| tail.get(1..)).unwrap_or_default();
    }
    out
}

/// `bag-info.txt`: labels and values in order, continuation lines joined (RFC 8493 section 2.2.2).
pub(crate) fn parse_info(text: &str) -> (Vec<(usize, String, String)>, Vec<Problem>) {
    let mut rows: Vec<(usize, String, String)> = Vec::new();
    let mut problems = Vec::new();
    for (number, line) in lines(text) {
        if line.trim().is_empty() {
            continue;
        }
        if line.starts_with([' ', '\t']) {
            match rows.last_mut() {
                Some((_, _, value)) => {
                    value.push(' ');
                    value.push_str(line.trim());
                }
                None => problems.push((
                    DefectKind::BadInfoLine,
                    Some(number),
                    "continues a line that isn't there".to_owned(),
                )),
            }
            continue;
        }
        match line.split_once(':') {
            Some((label, value)) if !label.trim().is_empty() => {
                rows.push((number, label.trim().to_owned(), value.trim().to_owned()));
            }
            _ => problems.push((DefectKind::BadInfoLine, Some(number), "the line has no label".to_owned())),
        }
    }
    (rows, problems)
}

/// `Payload-Oxum`: octets and files.
pub(crate) fn parse_oxum(value: &str) -> Option<(u64, u64)> {
    let (octets, files) = value.split_once('.')?;
    let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    (digits(octets) && digits(files)).then_some(())?;
    Some((octets.parse().ok()?, files.parse().ok()?))
}

/// A line of `fetch.txt` (RFC 8493 section 2.2.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fetch {
    pub(crate) line: usize,
    pub(crate) path: String,
}

pub(crate) fn parse_fetch(text: &str, percent_too: bool) -> (Vec<Fetch>, Vec<Problem>) {
    let mut rows = Vec::new();
    let mut problems = Vec::new();
    for (line, text) in lines(text) {
        if text.trim().is_empty() {
            continue;
        }
        let url_end = text.find([' ', '\t']);
        let (url, rest) = url_end.map_or((text, ""), |at| text.split_at(at));
        let rest = rest.trim_start_matches([' ', '\t']);
        let length_end = rest.find([' ', '\t']);
        let (length, path) = length_end.map_or((rest, ""), |at| rest.split_at(at));
        let path = path.trim_start_matches([' ', '\t']);
        let counted = length == "-" || (!length.is_empty() && length.bytes().all(|b| b.is_ascii_digit()));
        if url.is_empty() || !counted || path.is_empty() {
            problems.push((
                DefectKind::BadFetchLine,
                Some(line),
                "the line isn't: address, length or -, path".to_owned(),
            ));
        } else {
            rows.push(Fetch { line, path: super::path::decode(path, percent_too) });
        }
    }
    (rows, problems)
}
