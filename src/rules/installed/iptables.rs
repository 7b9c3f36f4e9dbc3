//! What `iptables-save` and `ip6tables-save` say.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use super::{Action, Addresses, Base, Chain, Condition, End, Family, Field, Hook, Queues, Rule, Subject, Table};
use crate::rules::Pattern;

/// What the head of a listing has, if the tables are in nft.
const NFT_BACKEND: &str = "(nf_tables)";

/// All tables of a listing.
pub(super) fn tables(text: &str, family: Family) -> Vec<Table> {
    let is_in_nft = text.contains(NFT_BACKEND);
    let mut tables = Vec::new();
    for line in text.lines() {
        if let Some(name) = line.strip_prefix('*') {
            tables.push(Table { family, name: name.to_owned(), is_dormant: false, is_in_nft, chains: BTreeMap::new() });
        } else if let Some(table) = tables.last_mut() {
            read_line(table, line);
        }
    }
    tables
}

fn read_line(table: &mut Table, line: &str) {
    if let Some(chain) = line.strip_prefix(':') {
        let mut words = chain.split(' ');
        let name = words.next().unwrap_or_default().to_owned();
        let base = base(&table.name, &name, words.next() == Some("DROP"));
        table.chains.insert(name.clone(), Chain { name, base, rules: Vec::new() });
    } else if let Some((name, rule)) = rule(line) {
        table.chains.entry(name).or_default().rules.push(rule);
    }
}

/// When the kernel enters a chain of iptables, by the names of the table and the chain.
fn base(table: &str, chain: &str, drops: bool) -> Option<Base> {
    let hook = match chain {
        "PREROUTING" => Hook::Prerouting,
        "INPUT" | "FORWARD" => Hook::Later,
        _ => return None,
    };
    // NF_IP_PRI_RAW and so on (linux/netfilter_ipv4.h).
    let priority = match table {
        "raw" => -300,
        "mangle" => -150,
        "nat" => -100,
        "security" => 50,
        _ => 0,
    };
    Some(Base { hook, priority, drops, devices: Vec::new() })
}

/// A line that adds a rule: the name of the chain, and the rule.
fn rule(line: &str) -> Option<(String, Rule)> {
    let words = shlex::split(line)?;
    let mut words = words.iter().map(String::as_str);
    words.find(|word| *word == "-A")?;
    let chain = words.next()?.to_owned();
    let mut reader = Reader { words, rule: Rule { label: line.to_owned(), ..Rule::default() } };
    reader.read();
    Some((chain, reader.rule))
}

/// The rest of such a line, word by word.
struct Reader<'a, Words: Iterator<Item = &'a str>> {
    words: Words,
    rule: Rule,
}

impl<'a, Words: Iterator<Item = &'a str>> Reader<'a, Words> {
    fn read(&mut self) {
        let mut is_negated = false;
        while let Some(word) = self.words.next() {
            match word {
                "!" => is_negated = true,
                "-j" => self.read_target(),
                "-g" => self.rule.action = Action::Goto(self.argument().to_owned()),
                _ => {
                    let subject = self.subject(word);
                    self.rule.conditions.extend(subject.map(|subject| Condition { subject, is_negated }));
                    is_negated = false;
                }
            }
        }
    }

    /// What an option asks for. None: nothing. The words behind one that is not known are none of their own: they do not
    /// start with a dash.
    fn subject(&mut self, option: &str) -> Option<Subject> {
        let subject = match option {
            "-i" => Subject::Interface(vec![self.pattern()]),
            "--physdev-in" => Subject::Port(vec![self.pattern()]),
            "-p" => Subject::Number(Field::Protocol, vec![protocol(self.argument())]),
            "--dport" | "--dports" => self.ports(Field::DestinationPort),
            "--sport" | "--sports" => self.ports(Field::SourcePort),
            "-s" => self.addresses(End::Source),
            "-d" => self.addresses(End::Destination),
            "--ctstate" | "--state" => Subject::of_states(self.argument().split(',')),
            // Of rpfilter alone: what comes from where its answer would not go.
            "--invert" => Subject::Rare,
            "--icmpv6-type" => return self.icmpv6(),
            // The module of the options that follow; words for people; rates, which no honest guest exceeds.
            "--loose" | "--validmark" | "--accept-local" => return None,
            "-m" | "--comment" | "--limit" | "--limit-burst" => {
                self.argument();
                return None;
            }
            _ if option.starts_with('-') => Subject::Unreadable,
            _ => return None,
        };
        Some(subject)
    }

    fn argument(&mut self) -> &'a str {
        self.words.next().unwrap_or_default()
    }

    fn pattern(&mut self) -> Pattern {
        Pattern::listed(self.argument(), '+')
    }

    fn ports(&mut self, field: Field) -> Subject {
        let ranges: Option<Vec<_>> = self.argument().split(',').map(range).collect();
        ranges.map_or(Subject::Unreadable, |ranges| Subject::Number(field, ranges))
    }

    fn addresses(&mut self, end: End) -> Subject {
        let addresses = Addresses::read(self.argument()).and_then(|range| Addresses::new(vec![range]));
        addresses.map_or(Subject::Unreadable, |addresses| Subject::Address(end, addresses))
    }

    /// A type, with a code or without.
    fn icmpv6(&mut self) -> Option<Subject> {
        let argument = self.argument();
        let (kind, code) = argument.split_once('/').map_or((argument, None), |(kind, code)| (kind, Some(code)));
        if code.is_some_and(|code| code != "0") {
            return Some(Subject::Foreign);
        }
        Some(range(kind).map_or(Subject::Unreadable, |kind| Subject::Number(Field::Icmpv6Type, vec![kind])))
    }

    /// A target and its own options, which are the last of the line.
    fn read_target(&mut self) {
        let target = self.argument();
        self.rule.action = match target {
            "ACCEPT" => Action::Accept,
            "DROP" | "REJECT" => Action::Drop,
            "RETURN" => Action::Return,
            "NFQUEUE" => Action::Queue(Queues { numbers: Some(0..=0), bypass: false }),
            // Targets of the kernel do something and go on. None has the name of a chain.
            chain => Action::Jump(chain.to_owned()),
        };
        while let Some(option) = self.words.next() {
            self.read_target_option(option);
        }
    }

    fn read_target_option(&mut self, option: &str) {
        let Action::Queue(queues) = &mut self.rule.action else { return };
        match option {
            "--queue-num" | "--queue-balance" => {
                let numbers = self.words.next().and_then(range);
                queues.numbers = numbers
                    .and_then(|range| Some(u16::try_from(*range.start()).ok()?..=u16::try_from(*range.end()).ok()?));
            }
            "--queue-bypass" => queues.bypass = true,
            _ => {}
        }
    }
}

/// A number, or two with a colon between them.
fn range(text: &str) -> Option<RangeInclusive<u32>> {
    let (first, last) = text.split_once(':').unwrap_or((text, text));
    Some(first.parse().ok()?..=last.parse().ok()?)
}

/// The number of a protocol. What has another name is none of those that matter.
fn protocol(name: &str) -> RangeInclusive<u32> {
    let number = match name {
        "udp" => 17,
        "ipv6-icmp" | "icmpv6" => 58,
        other => other.parse().unwrap_or(u32::MAX),
    };
    number..=number
}
