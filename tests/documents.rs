//! The documents say what the program knows.

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
