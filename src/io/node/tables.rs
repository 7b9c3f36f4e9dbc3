//! Where the names of routing tables are written (ip-route(8)).

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::network::routing_table::Names;

/// What distributions and the administrator give; the later prevails.
const PLACES: [&str; 3] = ["/usr/lib/iproute2", "/usr/share/iproute2", "/etc/iproute2"];

/// The names that routing tables have on this node.
///
/// # Errors
/// A file is there and cannot be read: which, and why.
pub fn read() -> io::Result<Names> {
    read_from(&PLACES.map(Path::new))
}

fn read_from(places: &[&Path]) -> io::Result<Names> {
    let mut names = Names::default();
    for place in places {
        let further = files(&place.join("rt_tables.d"));
        for path in std::iter::once(place.join("rt_tables")).chain(further) {
            match fs::read(&path) {
                Ok(bytes) => names.add(&String::from_utf8_lossy(&bytes)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(io::Error::new(error.kind(), format!("{}: {error}", path.display()))),
            }
        }
    }
    Ok(names)
}

/// The files of a directory that count, in the order of their names. None if there is no such directory.
fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let mut files: Vec<_> = entries.map(|entry| entry.path()).filter(|path| is_listed(path)).collect();
    files.sort();
    files
}

/// `*.conf`, and not hidden.
fn is_listed(path: &Path) -> bool {
    let is_hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
    !is_hidden && path.extension().is_some_and(|extension| extension == "conf") && path.is_file()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_places_prevail_and_only_conf_files_count() {
        let scratch = std::env::temp_dir().join(format!("node-tables-{}", std::process::id()));
        let (first, second) = (scratch.join("first"), scratch.join("second"));
        fs::create_dir_all(first.join("rt_tables.d")).unwrap();
        fs::create_dir_all(&second).unwrap();
        fs::write(first.join("rt_tables"), "100 blue\n101 red\n").unwrap();
        fs::write(second.join("rt_tables"), "200 red\n").unwrap();
        for (name, text) in [("a.conf", "102 green"), (".b.conf", "103 hidden"), ("c", "104 other")] {
            fs::write(first.join("rt_tables.d").join(name), text).unwrap();
        }
        let names = read_from(&[&first, &second, Path::new("/nonexistent")]);
        fs::remove_dir_all(&scratch).unwrap();
        let names = names.unwrap();
        let found = ["blue", "red", "green", "hidden", "other"].map(|name| names.number(name));
        assert_eq!(found, [Some(100), Some(200), Some(102), None, None]);
    }
}
