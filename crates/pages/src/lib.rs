//! The pages that people open in a browser, as bytes in the executable: what `cargo xtask web` built from `web/`.
//!
//! Nothing here knows who may see what, or how it is served; a build without the pages holds an empty table.

/// One built file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct File {
    /// Where it stands in an address: `/assets/index-DCSI4qQG.js`.
    pub path: &'static str,
    /// The file.
    pub plain: &'static [u8],
    /// The file in Brotli (RFC 7932), when that is smaller.
    pub br: Option<&'static [u8]>,
    /// The file in gzip (RFC 1952), when that is smaller.
    pub gzip: Option<&'static [u8]>,
}

/// What the public role shows; the reading page goes where [`READING`] stands.
pub const RESIDENT: &str = "/index.html";
/// What the agency's side shows.
pub const DESK: &str = "/desk.html";
/// Below this, a file's name changes with its content.
pub const ASSETS: &str = "/assets/";
/// The place in [`RESIDENT`] for what can be read without script.
pub const READING: &str = "<!--reading-->";

/// All files, ordered by path; empty when the pages were not built.
pub static FILES: &[File] = include!(concat!(env!("OUT_DIR"), "/files.rs"));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_built_is_whole() {
        let has = |path| FILES.iter().any(|file| file.path == path);
        // A build without pages is a build, too.
        assert_eq!(has(RESIDENT), has(DESK));
        assert!(FILES.is_sorted_by_key(|file| file.path));
        for file in FILES {
            assert!(file.path.starts_with('/') && !file.path.ends_with(".br") && !file.path.ends_with(".gz"));
            for copy in [file.br, file.gzip].into_iter().flatten() {
                assert!(copy.len() < file.plain.len(), "{}", file.path);
            }
        }
        if let Some(shell) = FILES.iter().find(|file| file.path == RESIDENT) {
            let text = String::from_utf8_lossy(shell.plain);
            assert_eq!(text.matches(READING).count(), 1, "one place for the reading page");
        }
    }
}
