//! The options of `nfdhcpd bind` that say what is in the binding: one option, one row.

use clap::{Arg, ArgAction, ArgMatches, Args, Command, Error, FromArgMatches};
use ipnet::Ipv4Net;

use super::draft::Said;

/// The option for the keys that have none of their own.
const SET: &str = "set";

/// An option, and the key that it is for.
struct Row {
    name: &'static str,
    key: &'static str,
    /// What the value is called in the help; a flag has none.
    value: Option<&'static str>,
    help: &'static str,
}

const fn row(name: &'static str, key: &'static str, value: &'static str, help: &'static str) -> Row {
    Row { name, key, value: Some(value), help }
}

const fn flag(name: &'static str, key: &'static str, help: &'static str) -> Row {
    Row { name, key, value: None, help }
}

#[rustfmt::skip] // A table: one option, one row.
static ROWS: &[Row] = &[
    row("mac", "MAC", "MAC", "MAC: the guest's MAC; required"),
    row("hostname", "HOSTNAME", "NAME", "HOSTNAME: the guest's name; required"),
    row("indev", "INDEV", "BRIDGE", "INDEV: the bridge that the tap is a port of [default: the tap itself, which the node routes for]"),
    row("ip", "IP", "ADDRESS[/LENGTH]", "IP: the guest's address; with a length, SUBNET as well"),
    row("subnet", "SUBNET", "NETWORK", "SUBNET, where --ip has no length [default: the address alone]"),
    row("gateway", "GATEWAY", "ADDRESS", "GATEWAY: the guest's router, which may lie outside the subnet"),
    row("ip6", "IP6", "ADDRESS", "IP6: the address that DHCPv6 gives to the guest"),
    row("subnet6", "SUBNET6", "NETWORKS", "SUBNET6: prefixes for the guest's addresses, with commas between them"),
    row("gateway6", "GATEWAY6", "ADDRESS", "GATEWAY6: the guest's router"),
    row("eui64", "EUI64", "ADDRESS", "EUI64: the address that the guest makes of its MAC"),
    row("mtu", "MTU", "BYTES", "MTU of the guest's interface"),
    row("nameservers", "NAMESERVERS", "ADDRESSES", "NAMESERVERS, with commas between them, in place of the node's"),
    row("tags", "TAGS", "TEXT", "TAGS: free text, which is only shown"),
    flag("private", "PRIVATE", "PRIVATE: no default route for the guest"),
    flag("macspoof", "MACSPOOF", "MACSPOOF: do not check the guest's MAC"),
];

/// The option that is for a key.
pub(super) fn option_of(key: &str) -> Option<String> {
    ROWS.iter().find(|row| row.key == key).map(|row| format!("--{}", row.name))
}

/// What all options together say.
#[derive(Debug)]
pub(super) struct Options(pub(super) Vec<Said>);

impl Args for Options {
    fn augment_args(command: Command) -> Command {
        let set = Arg::new(SET).long(SET).value_name("KEY=VALUE").action(ArgAction::Append).value_parser(assignment);
        let set = set.help("Any key of nfdhcpd-binding(5), such as DOMAIN=example.com. May be repeated");
        ROWS.iter().fold(command, |command, row| command.arg(row.argument())).arg(set)
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for Options {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let set = matches.get_many::<(String, String)>(SET).into_iter().flatten();
        let set = set.map(|(key, value)| Said::new(format!("--{SET} {key}"), value, key, value));
        Ok(Self(ROWS.iter().flat_map(|row| row.said(matches)).chain(set).collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Row {
    fn argument(&self) -> Arg {
        let argument = Arg::new(self.name).long(self.name).help(self.help);
        match self.value {
            // What a script puts in place of a variable is a value, also where it looks like an option.
            Some(value) => argument.value_name(value).allow_hyphen_values(true),
            None => argument.action(ArgAction::SetTrue),
        }
    }

    fn said(&self, matches: &ArgMatches) -> Vec<Said> {
        let said = |given: &str, key, value: &str| Said::new(format!("--{}", self.name), given, key, value);
        if self.value.is_none() {
            return matches.get_flag(self.name).then(|| said("", self.key, "yes")).into_iter().collect();
        }
        let Some(given) = matches.get_one::<String>(self.name) else { return Vec::new() };
        match given.split_once('/').filter(|_| self.key == "IP") {
            Some((address, _)) => vec![said(given, self.key, address), said(given, "SUBNET", &network_of(given))],
            None => vec![said(given, self.key, given)],
        }
    }
}

/// The network of an address with its length. What is neither is left to whoever reads the binding.
fn network_of(text: &str) -> String {
    text.trim().parse::<Ipv4Net>().map_or_else(|_| text.to_owned(), |network| network.trunc().to_string())
}

fn assignment(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("not KEY=VALUE")?;
    Ok((key.trim().to_owned(), value.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::binding::is_known_key;

    /// What is said by a command line, as `option: key=value`.
    fn said(arguments: &[&str]) -> Result<Vec<String>, Error> {
        let command = Options::augment_args(Command::new("bind").no_binary_name(true));
        let Options(said) = Options::from_arg_matches(&command.try_get_matches_from(arguments)?)?;
        Ok(said.iter().map(|said| format!("{}: {}={}", said.option, said.key, said.value)).collect())
    }

    #[test]
    fn every_option_is_for_a_key_of_its_own() {
        Options::augment_args(Command::new("bind")).debug_assert();
        let mut keys: Vec<_> = ROWS.iter().map(|row| row.key).collect();
        assert!(keys.iter().all(|key| is_known_key(key)), "{keys:?}");
        keys.sort_unstable();
        keys.dedup();
        assert_eq!(keys.len(), ROWS.len());
        for row in ROWS {
            assert_eq!(option_of(row.key).unwrap(), format!("--{}", row.name));
            let arguments = [format!("--{}", row.name), "a b".to_owned()];
            let arguments: Vec<_> = arguments.iter().map(String::as_str).take(1 + row.value.iter().len()).collect();
            let value = row.value.map_or("yes", |_| "a b");
            assert_eq!(said(&arguments).unwrap(), [format!("--{}: {}={value}", row.name, row.key)]);
        }
        assert_eq!(option_of("NTP"), None);
    }

    #[test]
    fn an_address_with_a_length_says_the_subnet() {
        for (given, ip, subnet) in [
            ("192.0.2.10/24", "192.0.2.10", "192.0.2.0/24"),
            ("192.0.2.10/32", "192.0.2.10", "192.0.2.10/32"),
            (" 192.0.2.10/31 ", "192.0.2.10", "192.0.2.10/31"),
            ("192.0.2.10/33", "192.0.2.10", "192.0.2.10/33"),
            ("192.0.2.10/", "192.0.2.10", "192.0.2.10/"),
            ("/24", "", "/24"),
        ] {
            let expected = [format!("--ip: IP={ip}"), format!("--ip: SUBNET={subnet}")];
            assert_eq!(said(&["--ip", given]).unwrap(), expected);
        }
        assert_eq!(said(&["--ip", "192.0.2.10"]).unwrap(), ["--ip: IP=192.0.2.10"]);
    }

    #[test]
    fn a_value_is_never_an_option() {
        let arguments = ["--tags", "--macspoof", "--hostname", "-x", "--mtu", "", "--set", "DOMAIN=--private"];
        assert_eq!(
            said(&arguments).unwrap(),
            ["--hostname: HOSTNAME=-x", "--mtu: MTU=", "--tags: TAGS=--macspoof", "--set DOMAIN: DOMAIN=--private"]
        );
        assert_eq!(said(&["--set", "NTP=a=b", "--set", " X =\n"]).unwrap(), ["--set NTP: NTP=a=b", "--set X: X="]);
        assert!(said(&["--set", "NTP"]).unwrap_err().to_string().contains("not KEY=VALUE"));
        assert!(said(&["--mac", "1", "--mac", "2"]).is_err());
    }
}
