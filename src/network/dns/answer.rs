//! What `dig` says of a name's addresses.

use std::collections::BTreeSet;
use std::net::IpAddr;

use crate::wire::DomainName;

/// How the line of an answer begins that has its status.
const HEADER: &str = ";; ->>HEADER<<-";

/// The addresses in the answers to the questions for A and AAAA. A name that the zone does not have has none.
///
/// # Errors
/// The status of an answer that is none, or nothing if there was no answer.
pub fn read(said: &str, name: &DomainName) -> Result<BTreeSet<IpAddr>, Option<String>> {
    let statuses: Vec<_> = said.lines().filter(|line| line.starts_with(HEADER)).map(status).collect();
    if let Some(refusal) = statuses.iter().find(|status| !matches!(**status, "NOERROR" | "NXDOMAIN")) {
        return Err(Some((*refusal).to_owned()));
    }
    if statuses.len() != 2 {
        return Err(None);
    }
    Ok(said.lines().filter_map(|line| address(line, name)).collect())
}

/// `opcode: QUERY, status: NOERROR, id: 27510`
fn status(header: &str) -> &str {
    let after = header.split_once("status: ").map(|(_, after)| after).unwrap_or_default();
    after.split(',').next().unwrap_or_default()
}

/// `inst1.example.com. 300 IN A 192.168.1.2`. Those of other names, to which an alias leads, are not ours.
fn address(line: &str, name: &DomainName) -> Option<IpAddr> {
    let words: Vec<&str> = line.split_whitespace().collect();
    match words.as_slice() {
        [owner, _ttl, "IN", "A" | "AAAA", data] => {
            let is_ours = owner.trim_end_matches('.').eq_ignore_ascii_case(name.as_str());
            data.parse().ok().filter(|_| is_ours)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FOUND: &str = "\
        ;; Got answer:\n;; ->>HEADER<<- opcode: QUERY, status: NOERROR, id: 27510\n;; flags: qr aa; QUERY: 1, ANSWER: 2\n\n\
        ;; ANSWER SECTION:\nA.example.com.\t\t300\tIN\tA\t192.168.1.2\na.example.com. 300 IN A 192.168.1.3\n\n";
    const NONE: &str = ";; ->>HEADER<<- opcode: QUERY, status: NXDOMAIN, id: 1\n";
    const ALIAS: &str = "\
        ;; ->>HEADER<<- opcode: QUERY, status: NOERROR, id: 2\n\
        a.example.com. 300 IN CNAME www.example.com.\nwww.example.com. 300 IN AAAA 2001:db8::1\n";

    fn read_both(first: &str, second: &str) -> Result<Vec<String>, Option<String>> {
        let read = read(&format!("{first}{second}"), &"a.example.com".parse().unwrap());
        read.map(|addresses| addresses.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn the_addresses_of_the_name_and_of_no_other() {
        assert_eq!(read_both(FOUND, NONE).unwrap(), ["192.168.1.2", "192.168.1.3"]);
        assert_eq!(read_both(NONE, ALIAS).unwrap(), [""; 0]);
    }

    #[test]
    fn no_answer_is_not_an_empty_one() {
        let refused = ";; ->>HEADER<<- opcode: QUERY, status: REFUSED, id: 3\n";
        assert_eq!(read_both(FOUND, refused), Err(Some("REFUSED".to_owned())));
        assert_eq!(read_both(FOUND, ";; no servers could be reached\n"), Err(None));
        assert_eq!(read_both("", ""), Err(None));
    }
}
