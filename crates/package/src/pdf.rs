//! `data/custody.pdf`: the bundle for people. Standard fonts, so that nothing is embedded and every reader shows it.

use pdf_writer::{Content, Finish, Name, Pdf, Rect, Ref, Str, TextStr};
use serde_json::Value;

use super::model::{Contents, ItemFile, SignedBody};

const WIDTH: f32 = 595.0;
const HEIGHT: f32 = 842.0;
const MARGIN: f32 = 50.0;
const BOTTOM: f32 = 60.0;
/// Most lines of a document; what is more stands in the JSON files.
const MOST_LINES: usize = 200_000;

/// Widths of Helvetica's characters 32 to 126, thousandths of the size (Adobe's core 14 font metrics).
const HELVETICA: [u16; 95] = [
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556,
    556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667, 611, 778, 722, 278,
    500, 667, 556, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469,
    556, 333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556, 556, 556, 333, 500,
    278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
];

#[derive(Clone, Copy, PartialEq)]
enum Face {
    Plain,
    Bold,
    Mono,
}

impl Face {
    fn name(self) -> Name<'static> {
        Name(match self {
            Self::Plain => b"F1",
            Self::Bold => b"F2",
            Self::Mono => b"F3",
        })
    }

    /// Width of a text in points.
    fn width(self, text: &str, size: f32) -> f32 {
        let thousandths: u32 = text.chars().map(|c| self.advance(c)).sum();
        f32::from(u16::try_from(thousandths.min(60_000)).unwrap_or(60_000)) * size / 1000.0
    }

    fn advance(self, c: char) -> u32 {
        if self == Self::Mono {
            return 600;
        }
        let at = (c as usize).checked_sub(32);
        let plain = at.and_then(|at| HELVETICA.get(at)).copied().map_or(600, u32::from);
        // Bold is at most a tenth wider on average; a line breaks early rather than late.
        if self == Self::Bold { plain + plain / 10 } else { plain }
    }
}

/// Characters of `WinAnsiEncoding` that are not at their own number.
const ANSI: [(char, u8); 8] =
    [('€', 0x80), ('…', 0x85), ('‘', 0x91), ('’', 0x92), ('“', 0x93), ('”', 0x94), ('–', 0x96), ('—', 0x97)];

fn encode(text: &str) -> Vec<u8> {
    let one = |c: char| match c {
        ' '..='~' | '\u{a0}'..='\u{ff}' => u8::try_from(u32::from(c)).unwrap_or(b'?'),
        '\t' | '\n' | '\r' => b' ',
        other => ANSI.iter().find(|(c, _)| *c == other).map_or(b'?', |(_, code)| *code),
    };
    text.chars().map(one).collect()
}

struct Line {
    x: f32,
    face: Face,
    size: f32,
    text: String,
}

/// Lays text out on pages.
#[derive(Default)]
struct Sheet {
    /// Lines with their height on the page, by page.
    pages: Vec<Vec<(f32, Line)>>,
    y: f32,
    lines: usize,
}

impl Sheet {
    fn room(&mut self, height: f32) {
        if self.pages.is_empty() || self.y - height < BOTTOM {
            self.pages.push(Vec::new());
            self.y = HEIGHT - MARGIN;
        }
    }

    fn put(&mut self, x: f32, face: Face, size: f32, text: String) {
        if let Some(page) = self.pages.last_mut() {
            page.push((self.y, Line { x, face, size, text }));
        }
    }

    fn gap(&mut self, height: f32) {
        self.y -= height;
    }

    /// A paragraph, wrapped.
    fn text(&mut self, face: Face, size: f32, indent: f32, text: &str) {
        for line in wrap(text, face, size, WIDTH - 2.0 * MARGIN - indent) {
            self.lines += 1;
            if self.lines > MOST_LINES {
                return;
            }
            self.room(size * 1.35);
            self.y -= size * 1.35;
            self.put(MARGIN + indent, face, size, line);
        }
    }

    fn heading(&mut self, text: &str) {
        self.room(60.0);
        self.gap(14.0);
        self.text(Face::Bold, 13.0, 0.0, text);
        self.gap(3.0);
    }

    /// A row of a table: cells with their widths, each wrapped.
    fn row(&mut self, face: Face, size: f32, cells: &[(f32, &str)]) {
        let wrapped: Vec<Vec<String>> =
            cells.iter().map(|(width, text)| wrap(text, face, size, width - 6.0)).collect();
        let tall = wrapped.iter().map(Vec::len).max().unwrap_or(0);
        for at in 0..tall {
            self.lines += 1;
            if self.lines > MOST_LINES {
                return;
            }
            self.room(size * 1.3);
            self.y -= size * 1.3;
            let mut x = MARGIN;
            for ((width, _), lines) in cells.iter().zip(&wrapped) {
                if let Some(line) = lines.get(at).filter(|line| !line.is_empty()) {
                    self.put(x, face, size, line.clone());
                }
                x += width;
            }
        }
        self.gap(2.0);
    }
}

/// Breaks a text into lines no wider than `width`; a word that is too long is cut.
/// Each line of the text, wrapped by itself.
fn wrap(text: &str, face: Face, size: f32, width: f32) -> Vec<String> {
    let lines: Vec<String> = text.lines().flat_map(|line| wrap_line(line, face, size, width)).collect();
    if lines.is_empty() { vec![String::new()] } else { lines }
}

fn wrap_line(text: &str, face: Face, size: f32, width: f32) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        let spaced = if line.is_empty() { word.to_owned() } else { format!("{line} {word}") };
        if face.width(&spaced, size) <= width {
            line = spaced;
            continue;
        }
        if !line.is_empty() {
            lines.push(std::mem::take(&mut line));
        }
        for c in word.chars() {
            line.push(c);
            if face.width(&line, size) > width && line.chars().count() > 1 {
                line.pop();
                lines.push(std::mem::replace(&mut line, c.to_string()));
            }
        }
    }
    if !line.is_empty() || lines.is_empty() {
        lines.push(line);
    }
    lines
}

fn field(sheet: &mut Sheet, name: &str, value: &str) {
    sheet.row(Face::Plain, 9.5, &[(130.0, name), (365.0, value)]);
}

fn front(sheet: &mut Sheet, contents: &Contents) {
    let case = &contents.case;
    sheet.text(Face::Bold, 18.0, 0.0, "Chain of custody");
    sheet.gap(6.0);
    field(sheet, "Case", &format!("{} ({})", case.title, case.case));
    if let Some(code) = &case.code {
        field(sheet, "Investigation", code);
    }
    field(sheet, "Agency", &format!("{} ({})", case.agency.name, case.agency.id));
    field(sheet, "Opened", &case.opened.to_string());
    field(sheet, "Closed", &case.closed.map_or("open".into(), |at| at.to_string()));
    field(sheet, "Exported", &format!("{} by {}", case.exported, case.who(Some(&case.exported_by))));
    field(sheet, "Purpose", &case.purpose.line());
    field(sheet, "Made with", &case.made_with);
    sheet.heading("How to check this");
    sheet.text(Face::Plain, 9.5, 0.0, "This paper only repeats what stands in the files beside it. Whoever has the folder checks all of it, offline and without asking anyone, with one command:");
    sheet.gap(3.0);
    sheet.text(Face::Mono, 9.5, 15.0, "canvass verify package .");
    sheet.gap(3.0);
    sheet.text(Face::Plain, 9.5, 0.0, "Each recording is named by its SHA-256: any change of the recording changes it. Each event below holds the hash of the event before it, and the last one stands, as a salted commitment, in a public ledger that cannot be rewritten without notice; data/ledger has the proofs. All times are UTC. Names of people are those of the agency's list of members.");
}

fn asked(sheet: &mut Sheet, contents: &Contents) {
    sheet.heading("What was asked");
    for each in &contents.destinations {
        match &each.signed {
            SignedBody::Request(signed) => {
                let body = &signed.body;
                field(sheet, "Request", body.id.as_str());
                field(sheet, "Text", &body.details);
                let frame = format!(
                    "{} to {} ({})",
                    body.time_frame.start, body.time_frame.end, body.time_frame.zone
                );
                field(sheet, "Time asked for", &frame);
                field(sheet, "SHA-256 of the request", &signed.digest.to_string());
            }
            SignedBody::Portal(signed) => {
                field(sheet, "Portal", signed.body.id.as_str());
                field(sheet, "Text", &signed.body.details);
                field(sheet, "SHA-256 of the portal", &signed.digest.to_string());
            }
        }
        if let Some(decision) = &each.decision {
            let word = if decision.approved { "Approved" } else { "Refused" };
            field(sheet, "Moderator", &format!("{word} on {}: {}", decision.at, decision.reason));
        }
        sheet.gap(6.0);
    }
}

fn item(sheet: &mut Sheet, contents: &Contents, item: &ItemFile) {
    match &item.alteration {
        None => sheet.heading(&format!("Item {}", item.id)),
        Some(how) => sheet.heading(&format!("Item {}: altered copy ({})", item.id, how.kind.as_str())),
    }
    if let (Some(original), Some(how)) = (&item.copy_of, &item.alteration) {
        field(sheet, "Copy of", &format!("item {original}, which stays as it was given"));
        field(sheet, "What was altered", &how.note);
        let by = contents.case.who(Some(&how.by));
        field(sheet, "Made", &format!("on {} by {by} with {}", how.at, how.tool));
    }
    field(sheet, "File", &item.name);
    field(sheet, "Bytes", &item.bytes.to_string());
    field(sheet, "SHA-256", &item.sha256.to_string());
    field(
        sheet,
        "From",
        &format!("offer {}, clip {}, in answer to {}", item.offer, item.clip, item.destination),
    );
    let what = if item.copy_of.is_some() { "Recording" } else { "Original" };
    match item.destroyed {
        Some(at) => field(sheet, what, &format!("destroyed on {at}; not in this bundle")),
        None => field(sheet, what, &super::layout::recording(item)),
    }
    chain(sheet, contents, item.id.as_str());
}

/// Particulars as a person reads them: one a line, words for names.
fn particulars(detail: &Value) -> String {
    let name = |key: &str| key.replace("sha256", "SHA-256").replace('_', " ");
    let one = |(key, value): (&String, &Value)| match value {
        Value::Null => None,
        Value::String(text) => Some(format!("{}: {text}", name(key))),
        Value::Object(_) => Some(format!("{}: {}", name(key), particulars(value).replace('\n', ", "))),
        other => Some(format!("{}: {other}", name(key))),
    };
    match detail {
        Value::Object(fields) => fields.iter().filter_map(one).collect::<Vec<_>>().join("\n"),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

fn chain(sheet: &mut Sheet, contents: &Contents, subject: &str) {
    let Some(chain) = contents.chain(subject) else { return };
    sheet.gap(4.0);
    sheet.row(
        Face::Bold,
        8.0,
        &[(22.0, "No."), (94.0, "When"), (74.0, "What"), (125.0, "Who"), (180.0, "Particulars")],
    );
    for event in &chain.events {
        let detail = particulars(&event.detail);
        let number = event.number.to_string();
        let (at, who) = (event.at.to_string(), contents.case.who(event.by.as_ref()));
        let cells =
            [(22.0, number.as_str()), (94.0, &at), (74.0, &event.event), (125.0, &who), (180.0, &detail)];
        sheet.row(Face::Plain, 8.0, &cells);
        sheet.text(Face::Mono, 6.5, 22.0, &format!("hash {}", event.hash));
    }
}

/// The whole document. The same contents give the same bytes.
pub(super) fn render(contents: &Contents) -> Vec<u8> {
    let mut sheet = Sheet::default();
    front(&mut sheet, contents);
    asked(&mut sheet, contents);
    contents.case.items.iter().for_each(|each| item(&mut sheet, contents, each));
    for kept in &contents.case.reads {
        sheet.heading(&format!("Plate reads {}", kept.id));
        field(&mut sheet, "Reads", &kept.reads.to_string());
        field(&mut sheet, "Found by the search", kept.search.as_str());
        let by = contents.case.who(Some(&kept.by));
        field(&mut sheet, "Kept", &format!("on {} by {by}", kept.added));
        field(&mut sheet, "SHA-256", &kept.sha256.to_string());
        match kept.destroyed {
            Some(at) => field(&mut sheet, "File", &format!("destroyed on {at}; not in this bundle")),
            None => field(&mut sheet, "File", &super::layout::reads(kept.id.as_str())),
        }
        chain(&mut sheet, contents, kept.id.as_str());
    }
    for offer in &contents.case.offers {
        sheet.heading(&format!("Offer {}", offer.id));
        field(&mut sheet, "Received", &offer.received.to_string());
        field(&mut sheet, "In answer to", &offer.destination);
        field(&mut sheet, "SHA-256 of the envelope", &offer.envelope_sha256.to_string());
        chain(&mut sheet, contents, offer.id.as_str());
    }
    if !contents.case.holds.is_empty() {
        sheet.heading("Legal holds");
        for hold in &contents.case.holds {
            let released = hold.released.map_or("in force".to_owned(), |at| format!("released on {at}"));
            let by = contents.case.who(Some(&hold.by));
            field(
                &mut sheet,
                hold.id.as_str(),
                &format!(
                    "on {}: {}; placed on {} by {by}, {released}",
                    hold.subject, hold.basis, hold.placed
                ),
            );
        }
    }
    document(&sheet, &contents.case.case.to_string())
}

fn document(sheet: &Sheet, title: &str) -> Vec<u8> {
    let mut next = 1;
    let mut id = || {
        next += 1;
        Ref::new(next - 1)
    };
    let (catalog, tree, info) = (id(), id(), id());
    let fonts = [(Face::Plain, id()), (Face::Bold, id()), (Face::Mono, id())];
    let pages: Vec<(Ref, Ref)> = sheet.pages.iter().map(|_| (id(), id())).collect();
    let mut pdf = Pdf::new();
    pdf.catalog(catalog).pages(tree).lang(TextStr("en"));
    pdf.document_info(info).title(TextStr(&format!("Chain of custody {title}"))).producer(TextStr("canvass"));
    pdf.pages(tree)
        .kids(pages.iter().map(|(page, _)| *page))
        .count(i32::try_from(pages.len()).unwrap_or(i32::MAX));
    for (face, font) in fonts {
        let base: &[u8] = match face {
            Face::Plain => b"Helvetica",
            Face::Bold => b"Helvetica-Bold",
            Face::Mono => b"Courier",
        };
        pdf.type1_font(font).base_font(Name(base)).encoding_predefined(Name(b"WinAnsiEncoding"));
    }
    for (number, ((page, content), lines)) in pages.iter().zip(&sheet.pages).enumerate() {
        let mut writer = pdf.page(*page);
        writer.media_box(Rect::new(0.0, 0.0, WIDTH, HEIGHT)).parent(tree).contents(*content);
        let mut resources = writer.resources();
        let mut dictionary = resources.fonts();
        for (face, font) in fonts {
            dictionary.pair(face.name(), font);
        }
        dictionary.finish();
        resources.finish();
        writer.finish();
        let mut text = Content::new();
        for (y, line) in lines {
            show(&mut text, *y, line);
        }
        let foot = format!("{title}    page {} of {}", number + 1, pages.len());
        show(&mut text, 30.0, &Line { x: MARGIN, face: Face::Plain, size: 8.0, text: foot });
        pdf.stream(*content, &text.finish());
    }
    pdf.finish()
}

fn show(content: &mut Content, y: f32, line: &Line) {
    content.begin_text();
    content.set_font(line.face.name(), line.size);
    content.next_line(line.x, y);
    content.show(Str(&encode(&line.text)));
    content.end_text();
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_line_is_wider_than_its_cell_and_no_word_is_lost(text in "[ -~é]{0,200}", width in 20.0_f32..300.0) {
            let lines = wrap(&text, Face::Plain, 9.0, width);
            for line in &lines {
                prop_assert!(Face::Plain.width(line, 9.0) <= width || line.chars().count() == 1, "{line:?}");
            }
            let squeezed = |s: &str| s.split_whitespace().collect::<String>();
            prop_assert_eq!(squeezed(&lines.join(" ")), squeezed(&text));
        }
    }

    #[test]
    fn characters_outside_the_encoding_are_marked() {
        assert_eq!(encode("aé–\u{4e2d}"), [b'a', 0xe9, 0x96, b'?']);
    }
}
