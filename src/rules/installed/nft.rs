//! What nft says of all tables, in its JSON (libnftables-json(5)).
//!
//! Read as values rather than into types: a listing has what anybody may have loaded, in whatever version of nft.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;
use std::ops::RangeInclusive;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{
    Action, Addresses, Base, Chain, Condition, End, Family, Field, Hook, ListingError, Queues, Rule, Subject, Table,
};
use crate::rules::{Limit, Pattern, statement};

/// What a listing has: a list of objects, each with one member, that is named after what it is.
#[derive(Deserialize)]
struct Listing {
    nftables: Vec<Map<String, Value>>,
}

/// A table, a chain, a set, a map or a rule: as much as matters of any of them.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Item {
    family: String,
    table: String,
    name: String,
    chain: String,
    handle: u64,
    comment: String,
    hook: String,
    prio: i64,
    policy: String,
    dev: Value,
    flags: Value,
    elem: Vec<Value>,
    expr: Vec<Value>,
}

/// All tables of a listing.
///
/// # Errors
/// It is none.
pub(super) fn tables(text: &str) -> Result<Vec<Table>, ListingError> {
    let listing: Listing = serde_json::from_str(text)?;
    let members = listing.nftables.into_iter().flatten();
    let items: Vec<(String, Item)> =
        members.filter_map(|(kind, value)| Some((kind, Item::deserialize(value).ok()?))).collect();
    let sets = Sets::of(&items);
    let mut tables: Vec<Table> = Vec::new();
    for (kind, item) in &items {
        match kind.as_str() {
            "table" => tables.extend(table(item)),
            "chain" | "rule" => {
                let owner = tables.iter_mut().find(|table| table.owns(item));
                owner.into_iter().for_each(|table| table.take(kind, item, &sets));
            }
            _ => {}
        }
    }
    Ok(tables)
}

fn table(item: &Item) -> Option<Table> {
    let family = Family::named(&item.family)?;
    // nft 1.0.6 shows other words in place of flags: the name of a table, for one. Those that change nothing are named here.
    let is_idle = |flag: &str| ["owner", "persist"].contains(&flag);
    let is_dormant = one_or_more(&item.flags).iter().filter_map(Value::as_str).any(|flag| !is_idle(flag));
    Some(Table { family, name: item.name.clone(), is_dormant, is_in_nft: true, chains: BTreeMap::new() })
}

impl Table {
    fn owns(&self, item: &Item) -> bool {
        self.family.name() == item.family && self.name == item.table
    }

    fn take(&mut self, kind: &str, item: &Item, sets: &Sets<'_>) {
        if kind == "chain" {
            let chain = Chain { name: item.name.clone(), base: base(item), rules: Vec::new() };
            self.chains.insert(item.name.clone(), chain);
        } else if let Some(chain) = self.chains.get_mut(&item.chain) {
            chain.rules.extend(rules(item, sets));
        }
    }
}

fn base(item: &Item) -> Option<Base> {
    let hook = Hook::named(&item.hook)?;
    let devices = one_or_more(&item.dev).iter().filter_map(Value::as_str);
    let devices = devices.map(|name| Pattern::listed(name, '*')).collect();
    Some(Base { hook, priority: item.prio, drops: item.policy == "drop", devices })
}

/// Sets and maps that have a name.
struct Sets<'a>(HashMap<(&'a str, &'a str, &'a str), &'a [Value]>);

impl<'a> Sets<'a> {
    fn of(items: &'a [(String, Item)]) -> Self {
        let sets = items.iter().filter(|(kind, _)| kind == "set" || kind == "map");
        Self(
            sets.map(|(_, set)| ((set.family.as_str(), set.table.as_str(), set.name.as_str()), &set.elem[..]))
                .collect(),
        )
    }

    /// What is compared with: a value, the elements of a set, or those of one that has a name.
    fn elements(&self, item: &Item, right: &'a Value) -> Option<&'a [Value]> {
        match right.as_str().and_then(|text| text.strip_prefix('@')) {
            Some(name) => self.0.get(&(item.family.as_str(), item.table.as_str(), name)).copied(),
            None => Some(right.get("set").map_or(std::slice::from_ref(right), one_or_more)),
        }
    }
}

/// The elements of an array, or the value itself.
fn one_or_more(value: &Value) -> &[Value] {
    value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice)
}

/// A rule; or as many as it has ways, one for each element of a map of verdicts.
fn rules<'a>(item: &'a Item, sets: &Sets<'a>) -> Vec<Rule> {
    let label = format!("handle {}", item.handle);
    let members = || item.expr.iter().filter_map(Value::as_object).flatten();
    let statements = members().map(|(word, value)| statement::of_listing(word, value)).collect();
    let mut rule = Rule { label, comment: item.comment.clone(), statements, ..Rule::default() };
    for (word, value) in members() {
        match word.as_str() {
            "match" => rule.conditions.push(condition(item, value, sets)),
            "vmap" => return ways(item, &rule, value, sets),
            "xt" => read_xt(&mut rule, value),
            "set" => rule.limit = limit_for_each_interface(value),
            "limit" if is_over(value) => rule.conditions.push(Condition::new(Subject::Foreign)),
            _ => rule.action = action(word, value).unwrap_or(rule.action),
        }
    }
    vec![rule]
}

/// Something of iptables, of which nft knows the name alone.
fn read_xt(rule: &mut Rule, value: &Value) {
    match [value.get("type"), value.get("name")].map(|text| text.and_then(Value::as_str)) {
        [_, Some("comment")] => {}
        [Some("target"), Some("NFQUEUE")] => rule.action = Action::Queue(Queues { numbers: None, bypass: false }),
        [Some("target"), _] => {}
        _ => rule.conditions.push(Condition::new(Subject::Unreadable)),
    }
}

/// What a statement does. None: nothing that matters here.
fn action(word: &str, value: &Value) -> Option<Action> {
    let target = || value.get("target").and_then(Value::as_str).map(str::to_owned);
    match word {
        "accept" => Some(Action::Accept),
        "drop" | "reject" => Some(Action::Drop),
        "return" => Some(Action::Return),
        "jump" => target().map(Action::Jump),
        "goto" => target().map(Action::Goto),
        "queue" => Some(Action::Queue(queues(value))),
        _ => None,
    }
}

fn queues(value: &Value) -> Queues {
    let numbers = match value.get("num") {
        None => Some(0..=0),
        Some(numbers) => numbers_of(numbers, None),
    };
    let numbers =
        numbers.and_then(|range| Some(u16::try_from(*range.start()).ok()?..=u16::try_from(*range.end()).ok()?));
    let bypass = value.get("flags").is_some_and(|flags| one_or_more(flags).iter().any(|flag| flag == "bypass"));
    Queues { numbers, bypass }
}

fn is_over(limit: &Value) -> bool {
    limit.get("inv") == Some(&Value::Bool(true))
}

/// The rate over which an element of a set is, if the set is one of interfaces, and the rate one per second.
fn limit_for_each_interface(value: &Value) -> Option<Limit> {
    let key = value.pointer("/elem/meta/key").or_else(|| value.pointer("/elem/elem/val/meta/key"))?.as_str()?;
    let limit = value.get("stmt")?.as_array()?.iter().find_map(|statement| statement.get("limit"))?;
    let number = |name| u32::try_from(limit.get(name)?.as_u64()?).ok();
    let is_ours = ["iif", "iifname"].contains(&key) && is_over(limit) && limit.get("per")?.as_str()? == "second";
    is_ours.then_some(Limit { rate: number("rate")?, burst: number("burst")? })
}

/// One rule for each element of a map of verdicts.
fn ways<'a>(item: &Item, rule: &Rule, value: &'a Value, sets: &Sets<'a>) -> Vec<Rule> {
    let (key, data) = (value.get("key").unwrap_or(&Value::Null), value.get("data").unwrap_or(&Value::Null));
    let elements = sets.elements(item, data).unwrap_or_default().iter();
    let pairs = elements.filter_map(|element| match element.as_array()?.as_slice() {
        [right, verdict] => Some((right, verdict.as_object()?.iter().next()?)),
        _ => None,
    });
    let way = |(right, (word, verdict)): (&Value, (&String, &Value))| {
        let mut way = rule.clone();
        way.conditions.push(Condition::new(subject(key, std::slice::from_ref(right))));
        way.action = action(word, verdict).unwrap_or_default();
        way
    };
    pairs.map(way).collect()
}

fn condition<'a>(item: &Item, value: &'a Value, sets: &Sets<'a>) -> Condition {
    let read = || {
        let (left, right) = (value.get("left")?, value.get("right")?);
        if value.get("op")?.as_str()? == "<" {
            let below = right.as_u64()?.checked_sub(1)?;
            let elements = [serde_json::json!({ "range": [0, below] })];
            return Some(Condition::new(subject(left, &elements)));
        }
        let is_negated = match value.get("op")?.as_str()? {
            "==" => false,
            // Any of several flags.
            "in" if left.pointer("/ct/key").is_some() => false,
            "!=" => true,
            _ => return None,
        };
        Some(Condition { subject: subject(left, sets.elements(item, right)?), is_negated })
    };
    read().unwrap_or(Condition::new(Subject::Unreadable))
}

/// What is looked at, and for what.
fn subject(left: &Value, elements: &[Value]) -> Subject {
    if let Some(header) = left.get("exthdr") {
        let asks_for_none = header.get("field").is_none() && elements == [Value::Bool(false)];
        return if asks_for_none { Subject::Bare } else { Subject::Foreign };
    }
    if left.pointer("/ct/key").is_some_and(|key| key == "state") {
        let states: Option<Vec<&str>> = elements.iter().flat_map(one_or_more).map(Value::as_str).collect();
        return states.map_or(Subject::Unreadable, |states| Subject::of_states(states.into_iter()));
    }
    let text = |path| left.pointer(path).and_then(Value::as_str);
    let subject = match (text("/meta/key"), text("/payload/protocol"), text("/payload/field")) {
        (Some("iifname" | "iif"), ..) => names(elements).map(Subject::Interface),
        (Some("ibrname" | "ibridgename"), ..) => names(elements).map(Subject::Bridge),
        (Some("protocol"), ..) | (_, Some("ether"), Some("type")) => numbers(Field::EtherType, elements),
        (Some("nfproto"), ..) => numbers(Field::NfProto, elements),
        (Some("l4proto"), ..) | (_, Some("ip"), Some("protocol")) => numbers(Field::Protocol, elements),
        (_, Some("ip" | "ip6"), Some("saddr")) => addresses(End::Source, elements),
        (_, Some("ip" | "ip6"), Some("daddr")) => addresses(End::Destination, elements),
        (_, Some("udp" | "th"), Some("dport")) => numbers(Field::DestinationPort, elements),
        (_, Some("udp" | "th"), Some("sport")) => numbers(Field::SourcePort, elements),
        (_, Some("icmpv6"), Some("type")) => numbers(Field::Icmpv6Type, elements),
        (_, Some("icmpv6"), Some("code")) => numbers(Field::Icmpv6Code, elements),
        (_, Some("ip6"), Some("hoplimit")) => numbers(Field::HopLimit, elements),
        // Headers that no request has.
        (_, Some("tcp" | "icmp" | "arp" | "vlan" | "sctp" | "dccp" | "igmp"), _) => Some(Subject::Foreign),
        _ => None,
    };
    subject.unwrap_or(Subject::Unreadable)
}

fn names(elements: &[Value]) -> Option<Vec<Pattern>> {
    elements.iter().map(|element| Some(Pattern::listed(plain(element).as_str()?, '*'))).collect()
}

fn numbers(field: Field, elements: &[Value]) -> Option<Subject> {
    let ranges: Option<_> = elements.iter().map(|element| numbers_of(plain(element), Some(field))).collect();
    ranges.map(|ranges| Subject::Number(field, ranges))
}

fn addresses(end: End, elements: &[Value]) -> Option<Subject> {
    let ranges: Option<Vec<_>> = elements.iter().map(|element| addresses_of(plain(element))).collect();
    Some(Subject::Address(end, Addresses::new(ranges?)?))
}

/// An address, a prefix, or two addresses with all between them.
fn addresses_of(value: &Value) -> Option<RangeInclusive<IpAddr>> {
    if let Some([first, last]) = value.get("range").and_then(Value::as_array).map(Vec::as_slice) {
        return Some(first.as_str()?.parse().ok()?..=last.as_str()?.parse().ok()?);
    }
    match value.get("prefix") {
        Some(prefix) => Addresses::read(&format!("{}/{}", prefix.get("addr")?.as_str()?, prefix.get("len")?.as_u64()?)),
        None => Addresses::read(value.as_str()?),
    }
}

/// An element is wrapped into an object where there is more to say of it.
fn plain(element: &Value) -> &Value {
    element.pointer("/elem/val").unwrap_or(element)
}

/// A number, two with all between them, or a word for one.
fn numbers_of(value: &Value, field: Option<Field>) -> Option<RangeInclusive<u32>> {
    if let Some([first, last]) = value.get("range").and_then(Value::as_array).map(Vec::as_slice) {
        return Some(number(first, field)?..=number(last, field)?);
    }
    number(value, field).map(|number| number..=number)
}

fn number(value: &Value, field: Option<Field>) -> Option<u32> {
    match value.as_str() {
        None => value.as_u64()?.try_into().ok(),
        Some(word) => field.map(|field| named(field, word)),
    }
}

/// The number that nft has a word for. Another word is for a number that no request has.
fn named(field: Field, word: &str) -> u32 {
    match (field, word) {
        (Field::EtherType, "ip") => 0x0800,
        (Field::EtherType, "ip6") => 0x86dd,
        (Field::NfProto, "ipv4") => 2,
        (Field::NfProto, "ipv6") => 10,
        (Field::Protocol, "udp") => 17,
        (Field::Protocol, "ipv6-icmp" | "icmpv6") => 58,
        (Field::Icmpv6Type, "nd-router-solicit") => 133,
        (Field::Icmpv6Type, "nd-neighbor-solicit") => 135,
        (Field::Icmpv6Code, "no-route") => 0,
        _ => u32::MAX,
    }
}
