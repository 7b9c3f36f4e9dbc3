//! The examples of the pages, as whoever copies them has them.

use std::process::Command;
use std::{env, fs, process};

use clap::error::ErrorKind;
use nfdhcpd::{binding, config};

use crate::page::Page;
use crate::{PAGES, nfdhcpd, snf_network};

#[test]
fn every_example_of_the_configuration_is_one() {
    let examples = examples("nfdhcpd.conf.5");
    assert!(examples.len() > 1, "{examples:?}");
    for example in examples {
        let parsed = config::parse("example".as_ref(), example.as_bytes());
        assert_eq!(parsed.map(|parsed| parsed.warnings), Ok(Vec::new()), "{example}");
    }
}

/// One line that is for another example is read with that.
#[test]
fn every_example_of_a_binding_is_one() {
    let (scripts, files): (Vec<_>, Vec<_>) =
        examples("nfdhcpd-binding.5").into_iter().partition(|text| text.contains("/var/lib/nfdhcpd"));
    let files = files.iter().scan(String::new(), |before, text| {
        *before += text;
        Some(before.clone())
    });
    let files: Vec<String> = files.chain(scripts.iter().map(|script| written_by(script))).collect();
    assert!(files.len() > 2, "{files:?}");
    for file in files {
        let parsed = binding::parse::parse("tap0".as_ref(), file.as_bytes());
        assert_eq!(parsed.map(|parsed| parsed.warnings), Ok(Vec::new()), "{file}");
    }
}

/// The binding of tap0 that a script writes.
fn written_by(script: &str) -> String {
    let directory = env::temp_dir().join(format!("manual-{}", process::id()));
    fs::create_dir_all(&directory).expect("a directory");
    let script = script.replace("/var/lib/nfdhcpd", directory.to_str().expect("text"));
    let status = Command::new("sh").args(["-e", "-c", &script]).status().expect("a shell");
    let written = fs::read_to_string(directory.join("tap0")).expect("what the script writes");
    fs::remove_dir_all(directory).expect("what was made above");
    assert!(status.success(), "{status}");
    written
}

/// Subcommands and options; values may stand for others.
#[test]
fn every_command_of_an_example_is_understood() {
    let mut count = 0;
    for example in PAGES.iter().flat_map(|page| examples(page)) {
        for line in example.replace("\\\n", " ").lines() {
            let command = line.split(['|', '>', ';', '#', ',']).next().unwrap_or_default().trim();
            let program = match command.split_whitespace().next() {
                Some("nfdhcpd") => nfdhcpd(),
                Some("snf-network") => snf_network(),
                _ => continue,
            };
            let error = program.try_get_matches_from(command.split_whitespace()).err();
            let is_unknown = |kind| matches!(kind, ErrorKind::UnknownArgument | ErrorKind::InvalidSubcommand);
            assert!(!error.is_some_and(|error| is_unknown(error.kind())), "{line}");
            count += 1;
        }
    }
    assert!(count > 9, "only {count}");
}

/// The examples of a page, as they are shown.
fn examples(page: &str) -> Vec<String> {
    let text = fs::read_to_string(Page::path(page)).expect(page);
    let bodies = text.split("\n.EX\n").skip(1).filter_map(|rest| rest.split_once(".EE\n"));
    bodies.map(|(body, _)| shown(body)).collect()
}

/// What the formatter makes of lines.
fn shown(body: &str) -> String {
    let escapes = [("\\-", "-"), ("\\(aq", "'"), ("\\(dq", "\""), ("\\&", ""), ("\\e", "\\")];
    escapes.iter().fold(body.to_owned(), |text, (escape, shown)| text.replace(escape, shown))
}
