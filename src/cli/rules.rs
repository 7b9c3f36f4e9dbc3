//! `nfdhcpd rules`: what netfilter is to be told, for this configuration; and whether it has been.

mod check;

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};

use super::{BAD_CONFIGURATION, complain};
use crate::config::{Config, Faults};
use crate::io::config_file;
use crate::rules::{Amount, Format, Kind, Limits, Pattern, Rules, Taps};

/// Taps as the original's administrators call them.
const USUAL_TAPS: &str = "tap*";

/// Arguments of `nfdhcpd rules`.
#[derive(Debug, Args)]
#[command(after_help = "\
What is printed is loaded like this, and replaces what was loaded before:
  --format nft        nfdhcpd rules --format nft | nft -f -
  --format iptables   nfdhcpd rules --format iptables | sh
  --format ferm       nfdhcpd rules --format ferm >/etc/ferm/nfdhcpd.ferm, with an @include of that file; and
                      nfdhcpd rules --limits-only >/etc/nfdhcpd/limits.nft

The limits and the guard are nft's in each format, since iptables cannot keep a rate for each interface, and does not see all
that a bridge forwards. They need Linux 5.11. Taps are patterns: tap0, or tap* (tap+) for all that start with tap. docs/queues.md
says what each choice means.

With --check and the options that the rules were made with, a line is printed for each thing that is missing or wrong. It
asks nft, iptables-save and ip6tables-save, as far as they are there. Exit status:
  0  all is there
  1  something is missing, or cannot be told
  2  the configuration or the options are wrong
  3  the kernel cannot be asked: it takes root (CAP_NET_ADMIN) and one of those programs")]
pub(super) struct RulesCommand {
    /// The configuration file
    #[arg(short, long = "config", value_name = "FILE", default_value = config_file::DEFAULT_PATH)]
    config: PathBuf,
    /// Print no rules, but what of them the kernel lacks or has otherwise, whoever loaded those that it has
    #[arg(long, conflicts_with = "limits_only")]
    check: bool,
    /// What to print
    #[arg(long, default_value = "nft")]
    format: Format,
    /// Print the limits alone, for nft, beside rules of your own; with --guard that as well
    #[arg(long)]
    limits_only: bool,
    #[command(flatten)]
    wanted: Wanted,
}

/// What the rules are to do.
#[derive(Debug, Args)]
struct Wanted {
    /// Taps that the node routes for; the default, with tap*, unless --bridged is given. Both may be
    #[arg(long, value_name = "TAPS", value_delimiter = ',', num_args = 0..=1, default_missing_value = USUAL_TAPS)]
    routed: Option<Vec<Pattern>>,
    /// Taps that are ports of a bridge [default: tap*]. With iptables and ferm they are matched by physdev, for which
    /// bridge-nf-call-iptables and bridge-nf-call-ip6tables must be 1; nft needs neither
    #[arg(long, value_name = "TAPS", value_delimiter = ',', num_args = 0..=1, default_missing_value = USUAL_TAPS)]
    bridged: Option<Vec<Pattern>>,
    /// Match these bridges, as br0, in place of the ports, where the two are 0 (iptables and ferm)
    #[arg(long, value_name = "BRIDGES", value_delimiter = ',', requires = "bridged")]
    by_bridge: Vec<Pattern>,
    /// Let packets pass while no daemon has bound the queue: those of KINDS (dhcp, rs, ns, dhcpv6) [default: all]. Others
    /// are dropped, as all are without this option
    #[arg(long, value_name = "KINDS", value_delimiter = ',', num_args = 0..=1)]
    bypass: Option<Vec<Kind>>,
    /// Packets per second that one tap may send, of each kind or of KIND (dhcp, rs, ns, dhcpv6). May be repeated
    /// [default: 20/second, ns=500/second]
    #[arg(long, value_name = "[KIND=]RATE[/second]", value_parser = Amount::rate)]
    limit: Vec<Amount>,
    /// Packets that it may send at once before the limit holds. May be repeated [default: twice the limit]
    #[arg(long, value_name = "[KIND=]N")]
    burst: Vec<Amount>,
    /// No limits: one guest can fill the queues of all
    #[arg(long, conflicts_with_all = ["limit", "burst"])]
    no_limit: bool,
    /// Keep guests from playing server or router: what only those say is dropped, and what could hide it. By nft, which is
    /// told of all taps above
    #[arg(long)]
    guard: bool,
    /// Taps that the guard lets send frames with VLAN tags
    #[arg(long, value_name = "TAPS", value_delimiter = ',', requires = "guard")]
    trunk: Vec<Pattern>,
}

impl ValueEnum for Format {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Nft, Self::Iptables, Self::Ferm]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(match self {
            Self::Nft => PossibleValue::new("nft").help("Tables of nft"),
            Self::Iptables => PossibleValue::new("iptables").help("A shell script"),
            Self::Ferm => PossibleValue::new("ferm").help("A fragment of ferm.conf"),
        })
    }
}

impl RulesCommand {
    /// Runs the command.
    pub(super) fn run(self) -> ExitCode {
        if let Some(reason) = self.contradiction() {
            complain(&format!("error: {reason}"));
            return ExitCode::from(BAD_CONFIGURATION);
        }
        let parsed = match config_file::read(&self.config) {
            Ok(parsed) => parsed,
            Err(Faults { errors, warnings, .. }) => {
                warnings.iter().for_each(|warning| complain(&format!("warning: {warning}")));
                errors.iter().for_each(|error| complain(&format!("error: {error}")));
                return ExitCode::from(BAD_CONFIGURATION);
            }
        };
        parsed.warnings.iter().for_each(|warning| complain(&format!("warning: {warning}")));
        let rules = self.wanted.rules(&parsed.config);
        match (self.check, self.limits_only) {
            (true, _) => check::run(&rules),
            (false, true) => print(&rules.limits_alone()),
            (false, false) => print(&rules.in_format(self.format)),
        }
    }

    /// Options that have no meaning together.
    fn contradiction(&self) -> Option<&'static str> {
        let Self { check, format, limits_only, wanted, .. } = self;
        let is_whole_nft = !check && !limits_only && *format == Format::Nft;
        if is_whole_nft && !wanted.by_bridge.is_empty() {
            Some("--by-bridge is for iptables and ferm: nft sees the ports of a bridge by itself")
        } else if *limits_only && *format != Format::Nft {
            Some("--limits-only is for nft: limits are nft's in every format, so leave --format out")
        } else if *limits_only && wanted.no_limit && !wanted.guard {
            Some("--limits-only cannot be used with --no-limit: nothing is left, but for --guard")
        } else {
            None
        }
    }
}

impl Wanted {
    fn rules(self, config: &Config) -> Rules {
        let limits = (!self.no_limit).then(|| Limits::new(self.limit, self.burst));
        let taps = taps(self.routed, self.bridged, self.by_bridge);
        let bypass = self.bypass.map(|kinds| if kinds.is_empty() { Kind::ALL.to_vec() } else { kinds });
        let rules = Rules::new(config, taps, limits, bypass.unwrap_or_default());
        if self.guard { rules.guarded(self.trunk) } else { rules }
    }
}

/// The taps that are asked for: the usual ones, if none are.
fn taps(routed: Option<Vec<Pattern>>, bridged: Option<Vec<Pattern>>, by_bridge: Vec<Pattern>) -> Taps {
    let has_none = routed.is_none() && bridged.is_none();
    let usual = || USUAL_TAPS.parse().ok().into_iter().collect();
    let routed = if has_none { usual() } else { routed.unwrap_or_default() };
    Taps { routed, bridged: bridged.unwrap_or_default(), by_bridge }
}

/// Prints rules. What is only half there must not look whole.
fn print(text: &str) -> ExitCode {
    match io::stdout().lock().write_all(text.as_bytes()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            complain(&format!("error: standard output: {error}"));
            ExitCode::FAILURE
        }
    }
}
