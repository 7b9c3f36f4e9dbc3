//! One tap in full.

use std::fmt;

use crate::cli::decode::wrapped;
use crate::cli::words::{delegation, meaning, rejection, span, visible};
use crate::control::{Binding, Exchange, Ipv4, Ipv6, Last, Packets, Tap};

/// How long a line of words is, in characters: 80 with the names of keys before it.
const WORDS: usize = 57;

/// One tap in full: a line for each thing that is known of it.
pub(in crate::cli) struct Detail<'a>(pub(in crate::cli) &'a Tap);

impl fmt::Display for Detail<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tap = self.0;
        let link = tap.ifindex.map_or_else(|| "not there".to_owned(), |ifindex| format!("interface {ifindex}"));
        writeln!(f, "{}: {} ({link})", visible(&tap.tap), tap.state)?;
        let lines = lines(tap);
        let width = lines.iter().map(|(name, _)| name.chars().count()).max().unwrap_or_default();
        lines.iter().try_for_each(|(name, value)| writeln!(f, "  {name:width$}  {value}"))
    }
}

/// What is said, by name.
type Lines = Vec<(String, String)>;

fn lines(tap: &Tap) -> Lines {
    let mut lines = Lines::new();
    add(&mut lines, "rejected", rejection(tap));
    if let Some(binding) = &tap.binding {
        add_binding(&mut lines, binding);
    }
    add_packets(&mut lines, &tap.packets);
    lines
}

fn add(lines: &mut Lines, name: &str, value: Option<impl ToString>) {
    lines.extend(value.map(|value| (visible(name), value.to_string())));
}

fn add_binding(lines: &mut Lines, binding: &Binding) {
    add(lines, "MAC", Some(visible(&binding.mac)));
    add(lines, "HOSTNAME", Some(visible(&binding.hostname)));
    add(lines, "INDEV", Some(visible(&binding.indev)));
    if let Some(Ipv4 { address, subnet, gateway }) = binding.ipv4 {
        add(lines, "IP", Some(address));
        add(lines, "SUBNET", Some(subnet));
        add(lines, "GATEWAY", gateway);
    }
    if let Some(Ipv6 { subnets, gateway, eui64, leased }) = &binding.ipv6 {
        let subnets = subnets.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        add(lines, "SUBNET6", Some(subnets).filter(|subnets| !subnets.is_empty()));
        add(lines, "GATEWAY6", *gateway);
        add(lines, "EUI64", *eui64);
        add(lines, "IP6", *leased);
    }
    if let Some(delegated) = &binding.delegated {
        add(lines, "PREFIX6", Some(delegation(delegated)));
    }
    binding.settings.iter().for_each(|(key, value)| add(lines, key, Some(visible(value))));
    let unknown = |value| format!("{} (no key that is known)", visible(value));
    binding.unknown.iter().for_each(|(key, value)| add(lines, key, Some(unknown(value))));
}

fn add_packets(lines: &mut Lines, packets: &Packets) {
    add(lines, "answered", Some(packets.answered));
    add(lines, "refused", Some(packets.refused));
    add(lines, "accepted", Some(packets.accepted));
    add(lines, "not sent", Some(packets.send_failed));
    let by = packets.spoofed.last_mac.as_ref().map(|mac| format!(", the last by {}", visible(mac))).unwrap_or_default();
    let spoofed = Some(packets.spoofed.count).filter(|count| *count > 0);
    add(lines, "spoofed", spoofed.map(|count| format!("{count}{by}")));
    packets.last.iter().for_each(|last| add_last(lines, last));
    add_exchanges(lines, &packets.exchanges);
}

/// What became of the last packet, in words that may need more than one line.
fn add_last(lines: &mut Lines, last: &Last) {
    let meaning = meaning(&last.outcome).map(|meaning| format!(": {meaning}"));
    let (outcome, ago) = (visible(&last.outcome), span(last.seconds_ago));
    let text = format!("{outcome}, {ago} ago{}", meaning.unwrap_or_default());
    for (index, part) in wrapped(&text, WORDS).into_iter().enumerate() {
        add(lines, if index == 0 { "last" } else { "" }, Some(part));
    }
}

/// A line for each, the newest first.
fn add_exchanges(lines: &mut Lines, exchanges: &[Exchange]) {
    let ago = |exchange: &Exchange| format!("{} ago", span(exchange.seconds_ago));
    let width = exchanges.iter().map(|exchange| ago(exchange).chars().count()).max().unwrap_or_default();
    for (index, exchange) in exchanges.iter().enumerate() {
        let times = if exchange.times > 1 { format!("  ×{}", exchange.times) } else { String::new() };
        let name = if index == 0 { "exchanges" } else { "" };
        add(lines, name, Some(format!("{:>width$}  {}{times}", ago(exchange), visible(&exchange.outcome))));
    }
}
