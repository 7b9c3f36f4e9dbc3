//! Where a binding file is to be, for `bind` and `unbind`.

use std::io;
use std::path::PathBuf;

use clap::Args;

use crate::binding::{InterfaceName, is_temporary};
use crate::cli::complain;
use crate::config::{Config, ConfigError};
use crate::io::config_file;

/// The arguments that say where binding files are.
#[derive(Debug, Args)]
pub(in crate::cli) struct Place {
    /// The configuration file
    #[arg(short, long = "config", value_name = "FILE", default_value = config_file::DEFAULT_PATH)]
    pub(super) config: PathBuf,
    /// The directory of binding files, in place of the configuration's datapath
    #[arg(long, value_name = "DIR")]
    datapath: Option<PathBuf>,
}

/// Why there is no place for a binding.
#[derive(Debug, thiserror::Error)]
pub(in crate::cli) enum Misplaced {
    /// The configuration does not say where, because it is wrong.
    #[error("{}; --datapath says where the bindings are", .0.first().map(ToString::to_string).unwrap_or_default())]
    Config(Vec<ConfigError>),
    /// The file cannot be put there, or not be removed.
    #[error("{}: {}", .0.display(), .1)]
    Directory(PathBuf, io::Error),
}

impl Misplaced {
    /// The exit status.
    pub(in crate::cli) const STATUS: u8 = crate::cli::BAD_CONFIGURATION;
}

impl Place {
    /// The directory of binding files. The configuration is not read unless it is to say that.
    pub(in crate::cli) fn directory(&self) -> Result<PathBuf, Misplaced> {
        match &self.datapath {
            Some(directory) => Ok(directory.clone()),
            None => self.read_config().map(|config| config.general.datapath).map_err(Misplaced::Config),
        }
    }

    /// The directory of binding files, and the configuration that a binding has to go with. Where the directory is said, a
    /// configuration that cannot be used is no reason to do without the binding.
    pub(super) fn read(&self) -> Result<(PathBuf, Option<Config>), Misplaced> {
        match (&self.datapath, self.read_config()) {
            (Some(directory), Ok(config)) => Ok((directory.clone(), Some(config))),
            (None, Ok(config)) => Ok((config.general.datapath.clone(), Some(config))),
            (Some(directory), Err(errors)) => {
                errors.iter().for_each(|error| complain(&format!("warning: {error}")));
                Ok((directory.clone(), None))
            }
            (None, Err(errors)) => Err(Misplaced::Config(errors)),
        }
    }

    fn read_config(&self) -> Result<Config, Vec<ConfigError>> {
        config_file::read(&self.config).map(|parsed| parsed.config).map_err(|faults| faults.errors)
    }
}

/// The name of a tap that may have a binding file.
pub(in crate::cli) fn bindable(text: &str) -> Result<InterfaceName, String> {
    let tap: InterfaceName = text.parse().map_err(|error| format!("{error}"))?;
    if is_temporary(text.as_bytes()) {
        return Err("a temporary file by its name, which is no binding to the daemon".to_owned());
    }
    Ok(tap)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_file_is_written_that_the_daemon_passes_over() {
        for text in ["tap0", "tap0.100", "vnet12", "123456789012345"] {
            assert_eq!(bindable(text).unwrap().as_str(), text);
        }
        for text in ["", ".", "..", "../tap0", "a/b", "tap 0", "tap0\n", "sixteen-letters-"] {
            assert!(bindable(text).unwrap_err().starts_with("not an interface name"), "{text:?}");
        }
        for text in [".tap0", "tap0~", "tap0.swp", "tap0.tmp", "tap0.dpkg-new"] {
            assert!(bindable(text).unwrap_err().starts_with("a temporary file"), "{text:?}");
        }
    }
}
