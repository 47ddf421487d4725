//! Every command that README and guide show must exist, with its flags and its number of arguments.
#![cfg(test)]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
    process::Command,
};

fn workspace() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// What `--help` says of one command.
#[derive(Debug, Clone, Default)]
struct Help {
    /// Names below it.
    commands: BTreeSet<String>,
    /// Its flags, and whether each takes a value.
    flags: BTreeMap<String, bool>,
    /// Flags that must be there.
    required: BTreeSet<String>,
    /// Fewest and most arguments, those of the commands above it too.
    arguments: (usize, usize),
    /// Whether it does nothing without one of the names below it.
    incomplete: bool,
}

impl Help {
    fn of(path: &[String]) -> Self {
        let output = Command::new(env!("CARGO_BIN_EXE_canvass")).args(path).arg("--help").output().unwrap();
        assert!(output.status.success(), "canvass {} --help fails", path.join(" "));
        Self::parse(&String::from_utf8(output.stdout).unwrap(), path)
    }

    fn parse(text: &str, path: &[String]) -> Self {
        let mut help = Self::default();
        let mut part = "";
        for line in text.lines() {
            if let Some(usage) = line.strip_prefix("Usage: ") {
                help.usage(usage, path);
            } else if !line.starts_with(' ') && !line.is_empty() {
                part = line;
            } else if part == "Commands:" && line.starts_with("  ") && !line.starts_with("   ") {
                help.commands.extend(line.split_whitespace().next().map(str::to_owned));
            } else if line.trim_start().starts_with('-') && !part.starts_with("Example") {
                let flag = line.split_whitespace().find(|word| word.starts_with("--"));
                let name = flag.map(|word| word.trim_end_matches(','));
                let valued = flag.is_some_and(|flag| line.contains(&format!("{flag} <")));
                help.flags.extend(name.map(|name| (name.to_owned(), valued)));
            }
        }
        help
    }

    fn usage(&mut self, usage: &str, path: &[String]) {
        let mut before = "";
        // Of a group such as `<--all|--case <CASE>>`, one flag is given: no argument.
        let mut group = 0;
        for word in usage.split_whitespace().skip(1) {
            if group > 0 || word.starts_with("<--") {
                group += word.matches('<').count();
                group -= word.matches('>').count();
                continue;
            }
            let many = word.ends_with("...");
            let value = word.starts_with('<') && !before.starts_with("--");
            if word == "<COMMAND>" {
                self.incomplete = true;
            } else if let Some(name) = word.strip_prefix("--") {
                self.required.insert(format!("--{name}"));
            } else if value || (word.starts_with('[') && word != "[OPTIONS]" && word != "[COMMAND]") {
                self.arguments.0 += usize::from(value);
                self.arguments.1 = if many { usize::MAX } else { self.arguments.1.saturating_add(1) };
            } else {
                let known = word.starts_with(['[', '<']) || path.iter().any(|name| name == word);
                assert!(known, "a usage line that is not understood: {usage}");
            }
            before = word;
        }
    }
}

/// The parts of a line of shell: words, without quotes, redirections, pipes and comments.
fn commands_of(line: &str) -> Vec<Vec<String>> {
    let (mut commands, mut words, mut word) = (Vec::new(), Vec::new(), None::<String>);
    let mut quote = None;
    let mut skip = false;
    let end = |word: &mut Option<String>, words: &mut Vec<String>, skip: &mut bool| {
        if let Some(word) = word.take()
            && !std::mem::take(skip)
        {
            words.push(word);
        }
    };
    for c in line.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (Some(_), c) => word.get_or_insert_default().push(c),
            (None, '\'' | '"') => {
                word.get_or_insert_default();
                quote = Some(c);
            }
            (None, '#') if word.is_none() => break,
            (None, ';' | '|' | '&') => {
                end(&mut word, &mut words, &mut skip);
                commands.push(std::mem::take(&mut words));
            }
            (None, '>' | '<') => {
                end(&mut word, &mut words, &mut skip);
                skip = true;
            }
            (None, c) if c.is_whitespace() => end(&mut word, &mut words, &mut skip),
            (None, c) => word.get_or_insert_default().push(c),
        }
    }
    end(&mut word, &mut words, &mut skip);
    commands.push(words);
    commands.retain(|words| words.first().is_some_and(|first| first == "canvass"));
    commands
}

/// The commands of a page's code blocks for a shell, with the line they begin on.
fn shown(page: &str) -> Vec<(usize, Vec<String>)> {
    let mut found = Vec::new();
    let mut block = None::<&str>;
    let mut carried = String::new();
    let mut begun = 0;
    for (at, line) in page.lines().enumerate() {
        if let Some(language) = line.trim_start().strip_prefix("```") {
            block = if block.is_some() { None } else { Some(language.trim()) };
        } else if matches!(block, Some("" | "sh" | "console")) {
            if carried.is_empty() {
                begun = at + 1;
            }
            let line = line.trim().trim_start_matches("$ ");
            if let Some(more) = line.strip_suffix('\\') {
                carried.push_str(more);
                continue;
            }
            carried.push_str(line);
            found.extend(commands_of(&std::mem::take(&mut carried)).into_iter().map(|words| (begun, words)));
        }
    }
    found
}

/// What is wrong with a command, if anything.
fn wrong(words: &[String], known: &mut BTreeMap<Vec<String>, Help>) -> Option<String> {
    let mut path = Vec::new();
    let mut help = known.entry(path.clone()).or_insert_with(|| Help::of(&[])).clone();
    let (mut seen, mut arguments) = (BTreeSet::new(), 0);
    let mut words = words.iter().skip(1);
    while let Some(word) = words.next() {
        if word == "--help" {
            return None;
        }
        if word.starts_with("--") {
            let (name, inline) =
                word.split_once('=').map_or((word.as_str(), false), |(name, _)| (name, true));
            let Some(valued) = help.flags.get(name) else {
                return Some(format!("`canvass {}` has no {name}", path.join(" ")));
            };
            if *valued && !inline && words.next().is_none() {
                return Some(format!("{name} wants a value"));
            }
            seen.insert(name.to_owned());
        } else if help.commands.contains(word) {
            path.push(word.clone());
            help = known.entry(path.clone()).or_insert_with(|| Help::of(&path)).clone();
        } else if help.incomplete && help.arguments.1 == 0 {
            return Some(format!("`canvass {}` has no {word}", path.join(" ")));
        } else {
            arguments += 1;
        }
    }
    if help.incomplete {
        return Some(format!("`canvass {}` wants the name of a command below it", path.join(" ")));
    }
    if let Some(missing) = help.required.iter().find(|name| !seen.contains(*name)) {
        return Some(format!("`canvass {}` wants {missing}", path.join(" ")));
    }
    let (least, most) = help.arguments;
    (arguments < least || arguments > most)
        .then(|| format!("`canvass {}` takes {least} to {most} arguments, not {arguments}", path.join(" ")))
}

fn pages() -> Vec<PathBuf> {
    let mut pages = vec![workspace().join("README.md")];
    for folder in ["docs/guide", "docs/ref"] {
        for file in fs::read_dir(workspace().join(folder)).unwrap() {
            pages.push(file.unwrap().path());
        }
    }
    pages.retain(|path| path.extension().is_some_and(|end| end == "md"));
    pages.sort();
    pages
}

#[test]
fn every_command_that_is_shown_exists() {
    let mut known = BTreeMap::new();
    let (mut count, mut found) = (0, Vec::new());
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        for (line, words) in shown(&text) {
            count += 1;
            if let Some(reason) = wrong(&words, &mut known) {
                let name = page.file_name().unwrap().to_string_lossy();
                found.push(format!("{name} line {line}: {}: {reason}", words.join(" ")));
            }
        }
    }
    assert!(count > 80, "only {count} commands were found; are code blocks marked `sh`?");
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn the_guide_speaks_of_every_command() {
    let text: String = pages().iter().map(|page| fs::read_to_string(page).unwrap()).collect();
    let named: BTreeSet<_> =
        shown(&text).into_iter().filter_map(|(_, words)| words.get(1).cloned()).collect();
    let all = Help::of(&[]).commands;
    // Some are named in sentences alone.
    let in_prose = |name: &String| text.contains(&format!("canvass {name}"));
    let missing: Vec<_> =
        all.iter().filter(|name| *name != "help" && !named.contains(*name) && !in_prose(name)).collect();
    assert!(missing.is_empty(), "the guide names these commands nowhere: {missing:?}");
}

#[test]
fn wrong_commands_are_found() {
    let page = "```sh\ncanvass serve --data ./data > log # runs\ncanvass open off_… --purpose 'a b' \\\n  --out x\n```\n\
                ```python\ncanvass nonsense\n```\n```\ncanvass backup --server x NAME ; canvass restore --from x --data y\n\
                canvass bogus\ncanvass case\ncanvass triage off_… accept 1 2 --case c --dir d\ncanvass triage off_… accept --case c --dir d\n\
                canvass witness serve --help\ncanvass item read --purpose p --out f\ncanvass give a b\n```\n";
    let mut known = BTreeMap::new();
    let all: Vec<_> =
        shown(page).iter().map(|(line, words)| (*line, wrong(words, &mut known).is_some())).collect();
    let expected = [
        (2, false),
        (3, false),
        (10, true),
        (10, false),
        (11, true),
        (12, true),
        (13, false),
        (14, true),
        (15, false),
        (16, true),
        (17, true),
    ];
    assert_eq!(all, expected);
}
