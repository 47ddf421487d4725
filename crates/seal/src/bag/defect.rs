//! What can be wrong with a bag, and what to do about it.

use std::fmt;

/// Whether a defect makes the bag invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Valid all the same, but something to know.
    Warning,
    /// The bag is invalid or incomplete.
    Error,
}

/// The kinds of defects, each with a fixed remedy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum DefectKind {
    /// `bagit.txt` is missing.
    NoDeclaration,
    /// `bagit.txt` breaks the format.
    BadDeclaration,
    /// A version that isn't read here.
    UnsupportedVersion,
    /// An older version that is read under the rules of 0.97.
    OldVersion,
    /// A tag file encoding that isn't read here.
    UnsupportedEncoding,
    /// A tag file isn't in the declared encoding.
    BadEncoding,
    /// A byte order mark where none belongs.
    ByteOrderMark,
    /// No `data` directory.
    NoPayload,
    /// No payload manifest at all.
    NoManifest,
    /// A manifest of an unknown algorithm.
    UnsupportedAlgorithm,
    /// A manifest line that isn't `digest path`.
    BadManifestLine,
    /// Left by md5sum-like tools: `*` before the path.
    StarPath,
    /// `./` before the path.
    DotSlashPath,
    /// A path that could leave the bag.
    UnsafePath,
    /// A path that some system can't store.
    UnportablePath,
    /// A path that is listed, or archived, twice.
    DuplicatePath,
    /// Two names that differ only by case or normalisation.
    SimilarPath,
    /// A path outside of where it must be.
    MisplacedPath,
    /// Listed and absent.
    MissingFile,
    /// Listed in `fetch.txt` and not fetched yet: the bag is incomplete.
    Unfetched,
    /// In the payload and not listed.
    UnlistedFile,
    /// The digest differs.
    DigestMismatch,
    /// The digest was not computed while reading.
    NotComputed,
    /// `Payload-Oxum` differs from what is there.
    OxumMismatch,
    /// A line of `bag-info.txt` that isn't `Label: value`.
    BadInfoLine,
    /// A line of `fetch.txt` that isn't `url length path`.
    BadFetchLine,
    /// A link, device or other thing that is neither file nor directory.
    NotAFile,
    /// More files or bytes than the limits allow.
    OverLimit,
    /// Bag files that don't stand in one directory of the archive.
    Layout,
    /// A file that operating systems leave behind.
    SystemFile,
}

impl DefectKind {
    /// What to do next.
    #[must_use]
    pub fn remedy(self) -> &'static str {
        match self {
            Self::NoDeclaration | Self::BadDeclaration => "write bagit.txt as RFC 8493 section 2.1.1 has it",
            Self::UnsupportedVersion => "convert the bag to version 1.0",
            Self::OldVersion => "convert the bag to version 1.0 when you next write it",
            Self::UnsupportedEncoding | Self::BadEncoding => {
                "write the tag files in UTF-8 and say so in bagit.txt"
            }
            Self::ByteOrderMark => "remove the byte order mark at the start of the file",
            Self::NoPayload => "put the payload under data/",
            Self::NoManifest => "add manifest-sha256.txt",
            Self::UnsupportedAlgorithm => "use sha256 or sha512",
            Self::BadManifestLine => "write each line as: digest, two spaces, path",
            Self::StarPath | Self::DotSlashPath => "write the path alone, relative to the bag",
            Self::UnsafePath => "don't unpack this bag; ask its sender for one with relative paths",
            Self::UnportablePath => "rename the file before you bag it",
            Self::DuplicatePath => "list and store each file once",
            Self::SimilarPath => "rename one of the two files",
            Self::MisplacedPath => "list payload (data/…) in payload manifests and all else in tag manifests",
            Self::MissingFile => "restore the file from its source, or ask the sender for the whole bag",
            Self::Unfetched => "fetch the file from the address in fetch.txt, then validate again",
            Self::UnlistedFile => "remove the file, or add it to every payload manifest",
            Self::DigestMismatch => "the file was changed: restore it from its source",
            Self::NotComputed => "validate the unpacked bag, where every algorithm is computed",
            Self::OxumMismatch => "files were lost or added: restore the payload from its source",
            Self::BadInfoLine => "write each line as Label: value",
            Self::BadFetchLine => "write each line as: address, length or -, path",
            Self::NotAFile => "put regular files only into a bag",
            Self::OverLimit => "raise the limit if this is expected",
            Self::Layout => "archive the bag from the parent of its base directory (RFC 8493 section 4)",
            Self::SystemFile => "delete it before you bag the directory",
        }
    }
}

/// One thing that is wrong with a bag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Defect {
    /// Does it make the bag invalid?
    pub severity: Severity,
    /// Which kind.
    pub kind: DefectKind,
    /// The file at fault, relative to the bag.
    pub file: String,
    /// Line of that file, counted from 1.
    pub line: Option<usize>,
    /// What was found.
    pub found: String,
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.escape_debug())?;
        if let Some(line) = self.line {
            write!(f, " line {line}")?;
        }
        write!(f, ": {}; {}", self.found.escape_debug(), self.kind.remedy())
    }
}
