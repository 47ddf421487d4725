//! Reads the folder with mended files of rules, which counts only when the stored rules can't be used by this version.

use std::{collections::BTreeMap, fs, path::Path};

use crate::serve::ServeError;

/// Most files that are read.
const MOST_FILES: usize = 200;

/// The files below a folder, by path; none when there is no such folder.
///
/// # Errors
/// When a file can't be read as text.
pub(crate) fn read(folder: &Path) -> Result<Option<BTreeMap<String, String>>, ServeError> {
    if !folder.exists() {
        return Ok(None);
    }
    let mut found = BTreeMap::new();
    let mut folders = vec![(folder.to_owned(), String::new())];
    while let Some((at, prefix)) = folders.pop() {
        for entry in fs::read_dir(&at).map_err(ServeError::file(&at))? {
            let entry = entry.map_err(ServeError::file(&at))?;
            let path = entry.path();
            let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
            if path.is_dir() && prefix.is_empty() {
                folders.push((path, format!("{name}/")));
            } else if path.is_file() && found.len() < MOST_FILES {
                let text = fs::read_to_string(&path).map_err(ServeError::file(&path))?;
                found.insert(name, text);
            }
        }
    }
    Ok(Some(found))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_named_by_their_path_and_no_folder_is_none() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(read(&folder.path().join("absent")).unwrap(), None);
        fs::create_dir(folder.path().join("profiles")).unwrap();
        fs::write(folder.path().join("roles.txt"), "a").unwrap();
        fs::write(folder.path().join("profiles/us-nh.cedar"), "b").unwrap();
        let found = read(folder.path()).unwrap().unwrap();
        let due = [("profiles/us-nh.cedar", "b"), ("roles.txt", "a")];
        assert_eq!(found, due.map(|(path, text)| (path.to_owned(), text.to_owned())).into());
    }
}
