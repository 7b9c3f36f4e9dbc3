//! Statements of nft's rules in one form, whether they are read in our own text or in what nft lists.
//!
//! Two rules that do the same in the same words are equal then. nft shows some numbers by name, and says what it likes by
//! default: `udp dport 68` is `udp dport == 68` here, and `ether type { 0x88a8, ip }` is `ether type == 2048,34984`.

use std::iter::Peekable;
use std::str::SplitWhitespace;

use serde_json::Value;

/// The statements of a line of our text, without its comment.
pub(super) fn of_text(line: &str) -> Vec<String> {
    let line = line.split(" comment \"").next().unwrap_or_default().replace('"', "").replace(", ", " ");
    let mut words = line.split_whitespace().peekable();
    std::iter::from_fn(|| next(&mut words)).collect()
}

fn next(words: &mut Peekable<SplitWhitespace<'_>>) -> Option<String> {
    let first = words.next()?;
    let mut argument = || words.next().unwrap_or_default();
    let mut left = match first {
        "accept" | "drop" | "counter" => return Some(first.to_owned()),
        "goto" => return Some(format!("goto {}", argument())),
        "update" => return Some(format!("update {} {{ {} }}", argument(), braced(words).join(" "))),
        _ if first == "iifname" || first.starts_with('@') => first.to_owned(),
        _ => format!("{first} {}", argument()),
    };
    if words.next_if_eq(&"&").is_some() {
        left = masked(&left, words.next().unwrap_or_default());
    }
    let operator = words.next_if(|word| ["==", "!=", "<"].contains(word)).unwrap_or("==");
    let values = if words.peek() == Some(&"{") { braced(words) } else { words.next().into_iter().collect() };
    Some(comparison(&left, operator, values.into_iter().map(str::to_owned)))
}

/// What is between braces.
fn braced<'a>(words: &mut Peekable<SplitWhitespace<'a>>) -> Vec<&'a str> {
    words.skip(1).take_while(|word| *word != "}").collect()
}

/// A statement as nft lists it, in its JSON (libnftables-json(5)). One that is none of ours stays as it is.
pub(super) fn of_listing(word: &str, value: &Value) -> String {
    let known = match word {
        "accept" | "drop" | "counter" => Some(word.to_owned()),
        "goto" => text(value, "/target").map(|chain| format!("goto {chain}")),
        "set" => update(value),
        "match" => listed_comparison(value),
        _ => None,
    };
    known.unwrap_or_else(|| format!("{word} {value}"))
}

fn text<'a>(value: &'a Value, path: &str) -> Option<&'a str> {
    value.pointer(path)?.as_str()
}

fn update(value: &Value) -> Option<String> {
    let [operator, set, key] = ["/op", "/set", "/elem/meta/key"].map(|path| text(value, path));
    let statements =
        value.get("stmt")?.as_array()?.iter().filter_map(Value::as_object).flat_map(|object| object.keys());
    let statements: Vec<&str> = statements.map(String::as_str).collect();
    Some(format!("{} {} {{ {} {} }}", operator?, set?, key?, statements.join(" ")))
}

fn listed_comparison(value: &Value) -> Option<String> {
    let right = value.get("right")?;
    let values = right.get("set").and_then(Value::as_array).map_or(std::slice::from_ref(right), Vec::as_slice);
    let values = values.iter().map(|value| match value {
        Value::Bool(false) => "missing".to_owned(),
        Value::String(word) => word.clone(),
        other => other.to_string(),
    });
    Some(comparison(&listed_subject(value.get("left")?)?, text(value, "/op")?, values))
}

fn listed_subject(left: &Value) -> Option<String> {
    if let Some([subject, mask]) = left.get("&").and_then(Value::as_array).map(Vec::as_slice) {
        return Some(masked(&listed_subject(subject)?, &mask.to_string()));
    }
    let number = |path| left.pointer(path).and_then(Value::as_u64);
    if let Some(key) = text(left, "/meta/key") {
        return Some(if key == "iifname" { key.to_owned() } else { format!("meta {key}") });
    }
    if let Some(header) = text(left, "/exthdr/name") {
        let field = text(left, "/exthdr/field");
        return Some(field.map_or_else(|| format!("exthdr {header}"), |field| format!("{header} {field}")));
    }
    if let Some(base) = text(left, "/payload/base") {
        return Some(format!("@{base},{},{}", number("/payload/offset")?, number("/payload/len")?));
    }
    Some(format!("{} {}", text(left, "/payload/protocol")?, text(left, "/payload/field")?))
}

fn masked(left: &str, mask: &str) -> String {
    format!("{left} & {}", value(left, mask))
}

/// Values are in no order.
fn comparison(left: &str, operator: &str, values: impl Iterator<Item = String>) -> String {
    let mut values: Vec<String> = values.map(|word| value(left, &word)).collect();
    values.sort_unstable();
    format!("{left} {operator} {}", values.join(","))
}

/// A number in decimal, if it is one; else the word.
fn value(left: &str, word: &str) -> String {
    let number =
        word.strip_prefix("0x").map_or_else(|| word.parse().ok(), |digits| u32::from_str_radix(digits, 16).ok());
    let number = number.or_else(|| match left {
        "meta l4proto" | "frag nexthdr" => protocol(word),
        "ether type" => ether_type(word),
        _ => None,
    });
    number.map_or_else(|| word.to_owned(), |number| number.to_string())
}

/// Names that nft may take from /etc/protocols.
fn protocol(name: &str) -> Option<u32> {
    Some(match name {
        "ip" | "hopopt" => 0,
        "icmp" => 1,
        "udp" => 17,
        "ipv6-route" => 43,
        "ipv6-frag" => 44,
        "ah" => 51,
        "icmpv6" | "ipv6-icmp" => 58,
        "ipv6-opts" => 60,
        "mobility-header" => 135,
        "hip" => 139,
        "shim6" => 140,
        _ => return None,
    })
}

fn ether_type(name: &str) -> Option<u32> {
    Some(match name {
        "ip" => 0x0800,
        "8021q" | "vlan" => 0x8100,
        "ip6" => 0x86dd,
        "8021ad" => 0x88a8,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_and_its_listing_are_the_same() {
        let payload = |protocol, field| format!(r#"{{"payload": {{"protocol": "{protocol}", "field": "{field}"}}}}"#);
        let compare =
            |left: &str, op, right| format!(r#"[{{"match": {{"op": "{op}", "left": {left}, "right": {right}}}}}]"#);
        for (line, listed, expected) in [
            ("udp dport 68 comment \"to x, y\"", compare(&payload("udp", "dport"), "==", "68"), "udp dport == 68"),
            (
                "ether type { 0x88a8, ip }",
                compare(&payload("ether", "type"), "==", r#"{"set": ["ip", "8021ad"]}"#),
                "ether type == 2048,34984",
            ),
            (
                "meta l4proto != { udp, icmpv6, 139 }",
                compare(r#"{"meta": {"key": "l4proto"}}"#, "!=", r#"{"set": ["hip", "udp", "ipv6-icmp"]}"#),
                "meta l4proto != 139,17,58",
            ),
            (
                "ip frag-off & 0x1fff != 0",
                compare(&format!(r#"{{"&": [{}, 8191]}}"#, payload("ip", "frag-off")), "!=", "0"),
                "ip frag-off & 8191 != 0",
            ),
            (
                "@ll,112,16 & 0x0fff == 0",
                compare(r#"{"&": [{"payload": {"base": "ll", "offset": 112, "len": 16}}, 4095]}"#, "==", "0"),
                "@ll,112,16 & 4095 == 0",
            ),
            (
                "exthdr frag missing",
                compare(r#"{"exthdr": {"name": "frag"}}"#, "==", "false"),
                "exthdr frag == missing",
            ),
            (
                "frag nexthdr { 60, 43 }",
                compare(r#"{"exthdr": {"name": "frag", "field": "nexthdr"}}"#, "==", r#"{"set": ["ipv6-opts", 43]}"#),
                "frag nexthdr == 43,60",
            ),
            (
                "iifname \"tap*\" goto c",
                r#"[{"match": {"op": "==", "left": {"meta": {"key": "iifname"}}, "right": "tap*"}}, {"goto": {"target": "c"}}]"#
                    .to_owned(),
                "iifname == tap*; goto c",
            ),
            (
                "update @s { iifname counter }",
                r#"[{"set": {"op": "update", "elem": {"meta": {"key": "iifname"}}, "set": "@s", "stmt": [{"counter": null}]}}]"#
                    .to_owned(),
                "update @s { iifname counter }",
            ),
            ("counter drop", r#"[{"counter": {"packets": 9, "bytes": 9}}, {"drop": null}]"#.to_owned(), "counter; drop"),
        ] {
            let listed: Vec<Value> = serde_json::from_str(&listed).unwrap();
            let listed = listed.iter().filter_map(Value::as_object).flatten();
            let listed: Vec<String> = listed.map(|(word, value)| of_listing(word, value)).collect();
            assert_eq!([of_text(line).join("; "), listed.join("; ")], [expected, expected], "{line}");
        }
    }

    #[test]
    fn what_is_not_known_is_equal_to_nothing() {
        let limit: Value = serde_json::from_str(r#"{"rate": 1, "burst": 5, "per": "second"}"#).unwrap();
        assert!(of_listing("limit", &limit).starts_with("limit {"));
        let odd: Value = serde_json::from_str(r#"{"op": "==", "left": {"ct": {"key": "state"}}, "right": 8}"#).unwrap();
        assert!(of_listing("match", &odd).starts_with("match {"));
    }
}
