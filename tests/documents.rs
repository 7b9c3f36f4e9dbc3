//! The documents say what the program knows.

use nfdhcpd::network::settings::{self, Settings};
use nfdhcpd::{binding, config};

const OPTIONS: &str = include_str!("../docs/options.md");

#[test]
fn every_key_of_a_binding_is_explained() {
    for key in binding::known_keys() {
        let shown = if key == "OPTION_" { "| `OPTION_<code>` |".to_owned() } else { format!("| `{key}` ") };
        assert!(OPTIONS.lines().any(|line| line.starts_with(&shown)), "{key}");
    }
}

#[test]
fn every_key_of_the_configuration_is_explained() {
    for (section, key) in config::known_keys() {
        let suffix = if key == "option_" { "<code>" } else { "" };
        assert!(OPTIONS.contains(&format!("`{section}.{key}{suffix}`")), "{section}.{key}");
    }
}

/// With the defaults that the program has: the file is read with its comment signs taken away.
#[test]
fn every_key_of_the_companion_is_explained() {
    let sample = include_str!("../config/snf-network.default");
    for key in settings::known_keys() {
        assert!(sample.lines().any(|line| line.starts_with(&format!("#{key}="))), "{key}");
    }
    let is_setting = |line: &&str| line.starts_with('#') && line.contains('=') && !line.starts_with("# ");
    let set: String = sample.lines().filter(is_setting).map(|line| format!("{}\n", &line[1..])).collect();
    let parsed = settings::parse("sample".as_ref(), &set).unwrap();
    assert_eq!(parsed.warnings, []);
    assert_eq!(parsed.settings, Settings::default());
}
