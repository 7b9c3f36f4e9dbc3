//! Manual pages and completions say what the programs know.
//!
//! What a page says of commands, keys and settings is made from the command line itself and from the files that explain them;
//! it stands between two marks in the page. `UPDATE_GOLDEN=1 cargo test --test manuals` writes it anew: read the
//! difference. The rest is written by hand, and must name whatever there is.
#![expect(
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    reason = "a panic is how a test fails, and the files are what is tested"
)]

mod command_line;
mod examples;
mod page;
mod roff;
mod samples;
mod tables;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use clap::CommandFactory as _;
use clap_complete::Shell;
use nfdhcpd::network::settings;
use nfdhcpd::{binding, cli, config};

use page::Page;

const CONFIGURATION: &str = include_str!("../../config/nfdhcpd.conf");
const SETTINGS: &str = include_str!("../../config/snf-network.default");
const OPTIONS: &str = include_str!("../../docs/options.md");
const COMPANION: &str = include_str!("../../docs/snf-network.md");

const PAGES: [&str; 4] = ["nfdhcpd.8", "nfdhcpd.conf.5", "nfdhcpd-binding.5", "snf-network.8"];

fn nfdhcpd() -> clap::Command {
    cli::Cli::command()
}

fn snf_network() -> clap::Command {
    cli::network::Cli::command()
}

#[test]
fn the_daemons_page_has_its_command_line() {
    let mut page = Page::read("nfdhcpd.8");
    page.keep("synopsis", &command_line::synopsis(&nfdhcpd()));
    page.keep("options", &command_line::options(nfdhcpd()));
    page.keep("commands", &command_line::commands(&nfdhcpd()));
    page.finish();
    for command in nfdhcpd().get_subcommands().filter(|command| !command_line::tells_exit_status(command)) {
        page.has_term("EXIT STATUS", command.get_name());
    }
}

#[test]
fn the_companions_page_has_its_command_line_tags_and_settings() {
    let mut page = Page::read("snf-network.8");
    page.keep("synopsis", &command_line::synopsis(&snf_network()));
    page.keep("options", &command_line::options(snf_network()));
    page.keep("commands", &command_line::commands(&snf_network()));
    page.keep("tags", &tables::definitions(COMPANION, "| tag |"));
    page.keep("profiles", &tables::definitions(COMPANION, "| profile |"));
    page.keep("settings", &samples::settings(SETTINGS));
    page.finish();
    for key in settings::known_keys() {
        page.has_term("SETTINGS", key);
    }
}

#[test]
fn the_configurations_page_has_every_key() {
    let mut page = Page::read("nfdhcpd.conf.5");
    page.keep("keys", &samples::configuration(CONFIGURATION));
    page.finish();
    for (section, key) in config::known_keys() {
        match (section, key) {
            // Of older files: named in the section's words.
            ("ipv6", "dhcp_queue" | "enable_dhcpv6") => page.has(key),
            ("dhcp", "option_") => page.has_term("KEYS", "option_252"),
            _ => page.has_term("KEYS", key),
        }
    }
}

#[test]
fn the_bindings_page_has_every_key() {
    let mut page = Page::read("nfdhcpd-binding.5");
    page.keep("wire", &tables::wire(OPTIONS));
    page.finish();
    for key in binding::known_keys() {
        page.has_term("KEYS", if key == "OPTION_" { "OPTION_code" } else { key });
    }
}

#[test]
fn pages_are_in_order() {
    for name in PAGES {
        let path = Page::path(name);
        let text = fs::read_to_string(&path).expect(name);
        assert!(text.is_ascii(), "{name}: not ASCII");
        let groff = ["man", "--warnings", "--encoding=UTF-8", "--local-file", "--troff-device=utf8", "--ditroff"];
        assert_eq!(complaints(&groff, &path), "", "{name}");
        // The date of a page is that of its package.
        let lint = complaints(&["mandoc", "-T", "lint", "-W", "warning"], &path);
        let lint: Vec<_> = lint.lines().filter(|line| !line.contains("missing date")).collect();
        assert_eq!(lint, [""; 0], "{name}");
    }
}

/// What a program has to say against a page.
fn complaints(command: &[&str], page: &Path) -> String {
    let [program, arguments @ ..] = command else { panic!("a program") };
    let output = match Command::new(program).args(arguments).arg(page).env("MANWIDTH", "80").env("LC_ALL", "C").output()
    {
        Ok(output) => output,
        Err(error) if env::var_os("NFDHCPD_STRICT").is_some() => panic!("{program}: {error}"),
        Err(error) => {
            eprintln!("{}: not checked: {program}: {error}", page.display());
            return String::new();
        }
    };
    let lint = if *program == "mandoc" { &output.stdout } else { &output.stderr };
    String::from_utf8_lossy(lint).into_owned()
}

#[test]
fn shells_complete_what_there_is() {
    for (name, mut command) in [("nfdhcpd", nfdhcpd()), ("snf-network", snf_network())] {
        for (shell, file) in [
            (Shell::Bash, format!("{name}.bash")),
            (Shell::Zsh, format!("_{name}")),
            (Shell::Fish, format!("{name}.fish")),
        ] {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut command, name, &mut script);
            let script = String::from_utf8(script).expect("text");
            page::compare(&completions().join(&file), &script);
            load(&shell.to_string(), &completions().join(&file));
        }
    }
}

fn completions() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/completions")
}

/// Has the shell read a script, and run nothing of it. A shell that is not there is passed over: none but the first is on
/// every machine.
fn load(shell: &str, script: &Path) {
    match Command::new(shell).arg("-n").arg(script).output() {
        Ok(output) => assert!(output.status.success() && output.stderr.is_empty(), "{}: {output:?}", script.display()),
        Err(error) => eprintln!("{}: not loaded: {shell}: {error}", script.display()),
    }
}
