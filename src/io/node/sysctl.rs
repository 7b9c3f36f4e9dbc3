//! Sysctls of interfaces, by their files under `/proc/sys/net` of our network namespace.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::network::Sysctl;

/// The value; None if there is no such sysctl, for want of the interface or of the protocol.
pub(super) fn read(sysctl: &Sysctl) -> io::Result<Option<String>> {
    match fs::read_to_string(path(sysctl)) {
        Ok(text) => Ok(Some(text.trim_end().to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Sets the value.
pub(super) fn write(sysctl: &Sysctl, value: &str) -> io::Result<()> {
    OpenOptions::new().write(true).open(path(sysctl))?.write_all(value.as_bytes())
}

fn path(sysctl: &Sysctl) -> PathBuf {
    let Sysctl { family, device, key } = sysctl;
    Path::new("/proc/sys/net").join(family.to_string()).join("conf").join(device.as_str()).join(key.name())
}
