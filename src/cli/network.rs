//! `snf-network`: what the node does when a NIC comes and goes. One file per subcommand.

#![expect(clippy::disallowed_methods, reason = "this is the command line")]

mod clean;
mod dns;
mod history;
mod ifdown;
mod ifup;
mod mac2eui64;
mod session;
mod status;
mod vif;

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::{env, iter};

use clap::{Args, Parser, Subcommand};

use crate::network::settings;
use session::Failure;

/// Sets up the node's part of a virtual machine's NIC, and removes it: bridge or routes, filters, firewall, and the binding
/// by which nfdhcpd answers the guest. Called by Ganeti, which tells of the NIC in the environment.
///
/// Under the names that Ganeti calls, it is the command that belongs there: kvm-vif-bridge and kvm-ifup-custom (ifup),
/// kvm-ifdown-custom (ifdown), vif-custom (vif), snf-network-hook (hook), snf-network-dns (dns), mac2eui64.
#[derive(Debug, Parser)]
#[command(name = "snf-network", version, max_term_width = 100)]
pub struct Cli {
    #[command(flatten)]
    common: Common,
    #[command(subcommand)]
    command: Command,
}

/// What all commands take.
#[derive(Debug, Args)]
struct Common {
    /// The settings
    #[arg(long, global = true, value_name = "FILE", default_value = settings::DEFAULT_PATH)]
    config: PathBuf,
    /// Print every change that would be made, in order, and make none
    #[arg(short = 'n', long, global = true)]
    dry_run: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Set a NIC up, as the environment says. A second time it changes nothing
    Ifup,
    /// Remove all that is there for a tap
    Ifdown(ifdown::Ifdown),
    /// Set a NIC of Xen up or remove it, from the file that Ganeti writes for it
    Vif(vif::Vif),
    /// Remove what taps that are gone have left, after an operation of Ganeti's
    Hook,
    /// Tell the name server of an instance's names, after an operation of Ganeti's
    Dns,
    /// Remove what taps that are gone have left: bindings, filters, rules, proxies
    Clean,
    /// Show what is set up for every tap, and what is left over
    Status(status::StatusCommand),
    /// Print the IPv6 address that a station makes for itself in a prefix of 64 bits
    Mac2eui64(mac2eui64::Mac2eui64),
}

/// Runs the program.
pub fn main() -> ExitCode {
    let Cli { common, command } = Cli::parse_from(with_command(env::args_os().collect()));
    let done = match command {
        Command::Ifup => ifup::run(&common),
        Command::Ifdown(ifdown) => ifdown.run(&common),
        Command::Vif(vif) => vif.run(&common),
        Command::Hook => clean::run_hook(&common),
        Command::Dns => dns::run(&common),
        Command::Clean => clean::run(&common),
        Command::Status(status) => status.run(&common),
        Command::Mac2eui64(mac2eui64) => mac2eui64.run(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Before | Failure::Midway) => ExitCode::FAILURE,
    }
}

/// The command line, with the command that the program's name stands for.
fn with_command(arguments: Vec<OsString>) -> Vec<OsString> {
    let name = arguments.first().and_then(|path| Path::new(path).file_name()).and_then(OsStr::to_str);
    let Some(command) = name.and_then(command_of) else { return arguments };
    let mut arguments = arguments.into_iter();
    arguments.next().into_iter().chain(iter::once(command.into())).chain(arguments).collect()
}

/// The command that belongs where Ganeti calls a program of this name.
fn command_of(name: &str) -> Option<&'static str> {
    Some(match name {
        "kvm-vif-bridge" | "kvm-ifup-custom" => "ifup",
        "kvm-ifdown-custom" => "ifdown",
        "vif-custom" => "vif",
        "snf-network-hook" => "hook",
        "snf-network-dns" | "snf-network-dnshook" => "dns",
        "mac2eui64" => "mac2eui64",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_name_stands_for_its_command() {
        let line = |words: &[&str]| with_command(words.iter().map(OsString::from).collect());
        for (words, command) in [
            (&["/etc/ganeti/kvm-vif-bridge"][..], &["/etc/ganeti/kvm-vif-bridge", "ifup"][..]),
            (&["kvm-ifdown-custom", "tap0"], &["kvm-ifdown-custom", "ifdown", "tap0"]),
            (&["snf-network", "ifup"], &["snf-network", "ifup"]),
            (&["snf-network"], &["snf-network"]),
        ] {
            assert_eq!(line(words), command, "{words:?}");
        }
        for name in ["kvm-vif-bridge", "vif-custom", "snf-network-hook", "snf-network-dns", "mac2eui64"] {
            let command = command_of(name).unwrap();
            assert!(Cli::command().find_subcommand(command).is_some(), "{name}");
        }
    }
}
