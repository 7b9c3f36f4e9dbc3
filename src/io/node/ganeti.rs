//! What Ganeti keeps of the NICs that it gives to KVM: `INSTANCE/NIC`, a file with the name of the tap.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::NodeError;
use super::files::read_if_there;
use crate::binding::InterfaceName;
use crate::network::nic;

/// The longest file that is read, in bytes: a name, and the end of its line.
const MAX_FILE: u64 = 64;

/// The taps of the instances that run on this node by Ganeti's account, and whose each is. Without the directory there are none.
/// What comes and goes meanwhile, or names no tap, is passed over.
///
/// # Errors
/// The directory is there and cannot be read.
pub fn taps(directory: &Path) -> Result<BTreeMap<InterfaceName, String>, NodeError> {
    let instances = match entries(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        instances => instances.map_err(NodeError::of(directory.display().to_string()))?,
    };
    let taps = instances.iter().flat_map(|instance| {
        let name = instance.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let files = entries(instance).unwrap_or_default();
        files.into_iter().filter_map(|file| tap(&file)).map(move |tap| (tap, name.clone()))
    });
    Ok(taps.filter(|(tap, _)| !nic::is_ganetis_own(tap)).collect())
}

fn entries(directory: &Path) -> io::Result<Vec<PathBuf>> {
    fs::read_dir(directory)?.map(|entry| entry.map(|entry| entry.path())).collect()
}

/// The tap that a file names.
fn tap(file: &Path) -> Option<InterfaceName> {
    read_if_there(file, MAX_FILE).ok()??.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_file_names_a_tap_or_is_passed_over() {
        let scratch = std::env::temp_dir().join(format!("node-ganeti-{}", std::process::id()));
        assert_eq!(taps(&scratch).unwrap(), BTreeMap::new(), "no such directory");
        for (file, text) in [
            ("inst1/0", "tap0"),
            ("inst1/5bf3c3f0-uuid", "tap0"),
            ("inst1/1", "tap7\n"),
            ("inst1/2", "gnt.com.0"),
            ("inst2.example.com/0", "tap1"),
            ("inst2.example.com/1", "../../etc"),
            (
                "inst2.example.com/2",
                "MAC=aa:00:00:00:00:01\nIP=192.0.2.1\nMODE=bridged\nLINK=prv0\nINTERFACE_INDEX=0\n",
            ),
        ] {
            let path = scratch.join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        fs::write(scratch.join("README"), "tap9").unwrap();
        let known = taps(&scratch);
        fs::remove_dir_all(&scratch).unwrap();
        let expected = [("tap0", "inst1"), ("tap1", "inst2.example.com"), ("tap7", "inst1")];
        let expected: BTreeMap<_, _> = expected.map(|(tap, name)| (tap.parse().unwrap(), name.to_owned())).into();
        assert_eq!(known.unwrap(), expected);
    }

    #[test]
    fn what_is_no_directory_is_named() {
        let error = taps(Path::new("/dev/null")).unwrap_err().to_string();
        assert!(error.starts_with("/dev/null: "), "{error}");
    }
}
