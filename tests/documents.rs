//! The documents say what the program knows.
#![expect(
    clippy::disallowed_methods,
    clippy::expect_used,
    reason = "a panic is how a test fails, and the sources are what documents are compared with"
)]

use std::fs;
use std::path::Path;

use clap::CommandFactory as _;
use clap::error::ErrorKind;
use nfdhcpd::engine::Reason;
use nfdhcpd::network::settings::{self, Settings};
use nfdhcpd::{binding, cli, config};

const DOCUMENTS: [&str; 5] = ["README.md", "SECURITY.md", "CONTRIBUTING.md", "docs", "packaging/examples/README.md"];
const OPTIONS: &str = include_str!("../docs/options.md");
const SECURITY: &str = include_str!("../SECURITY.md");
const TROUBLESHOOTING: &str = include_str!("../docs/troubleshooting.md");

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

#[test]
fn every_outcome_is_explained() {
    let explained: Vec<_> = rows(TROUBLESHOOTING, "outcome").map(|row| (row[0], row[1])).collect();
    for reason in Reason::ALL {
        let name = format!("`{}`", reason.name());
        assert!(explained.contains(&(name.as_str(), reason.description())), "{name} {reason}");
    }
    assert_eq!(explained.len(), Reason::ALL.len(), "an outcome that there is not");
}

/// What differs each time is left out, and what remains must be in a literal of the program.
#[test]
fn what_the_program_is_said_to_say_it_says() {
    let source = source("src");
    for row in rows(TROUBLESHOOTING, "it says") {
        let messages = row[0].split('`').skip(1).step_by(2);
        for part in messages.flat_map(|message| message.split('…')).map(str::trim).filter(|part| part.len() > 2) {
            assert!(source.contains(&part.replace('"', "\\\"")), "nobody says {part:?} of {}", row[0]);
        }
    }
}

#[test]
fn every_warning_of_the_daemon_is_explained() {
    let said = [source("src/daemon.rs"), source("src/daemon"), source("src/io"), source("src/cli/client.rs")];
    for message in said.iter().flat_map(|source| messages(source)) {
        // Between what differs each time.
        let parts = message.split(['{', '}']).step_by(2).map(|part| part.trim_matches([' ', ':', ';', ',', '.']));
        let longest = parts.max_by_key(|part| part.len()).unwrap_or_default();
        assert!(longest.len() < 4 || TROUBLESHOOTING.contains(longest), "{message:?} is not explained");
    }
}

/// A field that is written by `Debug` has Rust's own form, of no use to who reads the log as JSON.
#[test]
fn no_line_of_the_log_has_the_form_of_the_source() {
    let said = [source("src/daemon.rs"), source("src/daemon"), source("src/io")];
    let macros = ["error!(", "warn!(", "info!(", "debug!("];
    let fields = said.iter().flat_map(|source| macros.iter().flat_map(|start| source.split(start).skip(1)));
    for field in fields.filter_map(|rest| rest.split('"').next()).flat_map(|fields| fields.split(',')) {
        assert!(!field.trim().starts_with('?') && !field.contains("= ?"), "{field}");
    }
}

/// Tests and files.
#[test]
fn what_shows_that_a_threat_is_held_back_is_there() {
    let sources = source("src") + &source("tests");
    for row in rows(SECURITY, "it tries") {
        for evidence in row[2].split('`').skip(1).step_by(2) {
            let is_there = sources.contains(&format!("fn {evidence}(")) || root().join(evidence).exists();
            assert!(is_there, "there is no {evidence}");
        }
    }
}

/// Subcommands and options; values may stand for others.
#[test]
fn commands_that_documents_tell_to_type_are_understood() {
    for line in DOCUMENTS.iter().flat_map(|name| typed(name)).filter(|line| !line.contains(['…', '['])) {
        // Then comes another program, or what is said about this one.
        let command =
            line.split(['|', '>', ';', '#']).next().and_then(|line| line.split("  ").next()).unwrap_or_default();
        let program = if line.starts_with("nfdhcpd") { cli::Cli::command() } else { cli::network::Cli::command() };
        let error = program.try_get_matches_from(command.split_whitespace()).err();
        let is_unknown = |kind| matches!(kind, ErrorKind::UnknownArgument | ErrorKind::InvalidSubcommand);
        assert!(!error.is_some_and(|error| is_unknown(error.kind())), "{line}");
    }
}

/// Blocks of code, and code in the lines, that begin with the name of a program and a word behind it.
fn typed(path: &str) -> Vec<String> {
    let text = source(path);
    let blocks = text.lines().filter_map(|line| line.strip_prefix("    ")).map(|line| line.trim().to_owned());
    let is_ours = |line: &String| line.starts_with("nfdhcpd ") || line.starts_with("snf-network ");
    blocks.chain(codes(path)).filter(is_ours).collect()
}

#[test]
fn the_first_binding_is_good() {
    let is_setting = |line: &&str| line.starts_with(|c: char| c.is_ascii_uppercase()) && line.contains('=');
    let lines: Vec<_> = include_str!("../README.md").lines().map(str::trim).filter(is_setting).collect();
    let parsed = binding::parse::parse("tap0".as_ref(), lines.join("\n").as_bytes()).expect("a binding");
    assert_eq!(parsed.warnings, []);
    assert!(lines.len() > 4 && parsed.binding.ipv4.is_some() && parsed.binding.ipv6.is_some());
}

#[test]
fn every_example_of_a_file_is_one() {
    let mut count = 0;
    for block in DOCUMENTS.iter().flat_map(|name| blocks(name)) {
        let first = block.lines().map(str::trim).find(|line| !line.starts_with('#')).unwrap_or_default();
        let key = first.split_once('=').map(|(key, _)| key);
        let complaints = if matches!(first, "[general]" | "[dhcp]" | "[ipv6]") {
            complaints_of_configuration(&block)
        } else if key.is_some_and(binding::is_known_key) {
            complaints_of_binding(&block)
        } else {
            continue;
        };
        assert_eq!(complaints, [""; 0], "{block}");
        count += 1;
    }
    assert!(count > 4, "only {count}");
}

/// What is wrong with a part of the configuration. What it leaves out is added.
fn complaints_of_configuration(part: &str) -> Vec<String> {
    let text = format!("[dhcp]\nserver_on_link = yes\n[ipv6]\nenable_ipv6 = no\n{part}");
    let complaints = match config::parse("example".as_ref(), text.as_bytes()) {
        Ok(parsed) => parsed.warnings,
        Err(faults) => faults.errors,
    };
    complaints.iter().map(ToString::to_string).collect()
}

/// What is wrong with a part of a binding. What it leaves out is added.
fn complaints_of_binding(part: &str) -> Vec<String> {
    let required = [("MAC", "aa:00:00:00:00:01"), ("HOSTNAME", "guest1")];
    let missing = required.iter().filter(|(key, _)| !part.lines().any(|line| line.starts_with(&format!("{key}="))));
    let text: String = missing.map(|(key, value)| format!("{key}={value}\n")).collect();
    match binding::parse::parse("tap0".as_ref(), (text + part).as_bytes()) {
        Ok(parsed) => parsed.warnings.iter().map(ToString::to_string).collect(),
        Err(error) => vec![error.to_string()],
    }
}

/// Lines that are indented, up to the next empty one.
fn blocks(path: &str) -> Vec<String> {
    let text = source(path);
    let lines = text.lines().map(|line| line.strip_prefix("    ").unwrap_or_default().trim());
    let mut blocks = vec![String::new()];
    for line in lines {
        match blocks.last_mut() {
            Some(block) if !line.is_empty() => *block += &format!("{line}\n"),
            _ => blocks.push(String::new()),
        }
    }
    blocks
}

/// Whatever looks like the path of a file of ours.
#[test]
fn files_that_documents_name_are_there() {
    let folders =
        ["docs/", "src/", "tests/", "config/", "packaging/", "fuzz/", "benches/", "pcaps/", "examples/", ".ci/"];
    let is_path = |code: &&str| folders.iter().any(|folder| code.starts_with(folder)) || code.ends_with(".md");
    for code in DOCUMENTS.iter().flat_map(|name| codes(name)).filter(|code| is_path(&code.as_str())) {
        let is_pattern = code.contains(['*', '<', '…', ' ', '{']);
        // The rooms of the house are named without the house.
        let is_there = [root().join(&code), root().join("src").join(&code)].iter().any(|path| path.exists());
        assert!(is_pattern || is_there, "there is no {code}");
    }
}

/// The code in the lines of a document, or of all in a folder.
fn codes(path: &str) -> Vec<String> {
    let text = source(path);
    let codes = text.lines().flat_map(|line| line.split('`').skip(1).step_by(2));
    // In a table a pipe is written so.
    codes.map(|code| code.replace("\\|", "|")).collect()
}

/// The rows of all tables of a document whose first column has this heading.
fn rows<'a>(document: &'a str, heading: &str) -> impl Iterator<Item = Vec<&'a str>> {
    let heading = format!("| {heading} |");
    let tables = document.split("\n\n").filter(move |table| table.starts_with(&heading));
    tables.flat_map(|table| table.lines().skip(2)).map(|row| row.trim_matches('|').split('|').map(str::trim).collect())
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The text of a source file, or of all below a folder, each literal on one line.
fn source(path: &str) -> String {
    let mut text = String::new();
    read_all(&root().join(path), &mut text);
    let mut pieces = text.split("\\\n");
    let first = pieces.next().unwrap_or_default().to_owned();
    pieces.fold(first, |text, piece| text + piece.trim_start())
}

fn read_all(path: &Path, text: &mut String) {
    if path.is_dir() {
        let entries = fs::read_dir(path).expect("a folder");
        entries.for_each(|entry| read_all(&entry.expect("an entry").path(), text));
    } else {
        // Recorded bytes are no source.
        text.push_str(&fs::read_to_string(path).unwrap_or_default());
    }
}

/// What a source logs as warning or error, the first literal behind each macro; and what its errors say.
fn messages(source: &str) -> Vec<&str> {
    let logged = ["warn!(", "error!("].iter().flat_map(|start| source.split(start).skip(1));
    let logged = logged.filter_map(|rest| rest.split('"').nth(1));
    let ends = source.split("#[error(").skip(1).filter_map(|rest| rest.trim_start().strip_prefix('"'));
    logged.chain(ends.filter_map(|rest| rest.split('"').next())).collect()
}
