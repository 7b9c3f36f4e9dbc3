//! A binding that is about to be written: its text, and what is wrong with it in terms of the command line.

use std::fmt;
use std::path::Path;

use super::options::option_of;
use crate::binding::parse::{MAX_FILE_SIZE, Parsed, parse};
use crate::binding::{BindingError, OUTER_HYPHEN, is_known_key, unknown_key};
use crate::text::{Shown, Visible, is_order};
use crate::wire::DomainName;

/// What one option says.
#[derive(Debug)]
pub(super) struct Said {
    /// The option as it is shown.
    pub(super) option: String,
    /// Its value as given; empty for a flag.
    given: String,
    pub(super) key: String,
    /// The value of the key, without white space around it; nothing is said if it is empty.
    pub(super) value: String,
}

/// A fault of the command line: which option, what was given, what is wrong or what is allowed.
///
/// Shown on one line; what was given is escaped and cut to a bounded length.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) struct Fault {
    option: Option<String>,
    given: Option<String>,
    reason: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(option) = &self.option {
            write!(f, "{}", Visible(option))?;
            if let Some(given) = &self.given {
                write!(f, "={}", Shown(given))?;
            }
            f.write_str(": ")?;
        }
        f.write_str(&self.reason)
    }
}

impl Said {
    pub(super) fn new(option: String, given: &str, key: &str, value: &str) -> Self {
        Self { option, given: given.to_owned(), key: key.to_owned(), value: value.trim().to_owned() }
    }

    /// Whether this is no more than one value of one key, and of which there is one.
    fn check(&self) -> Result<(), Fault> {
        if !is_known_key(&self.key) {
            return Err(self.fault(unknown_key(&self.key)));
        }
        // Whoever else reads the file may know more ends of a line than one.
        if self.value.contains(is_order) {
            let reason = "a line break, control character or mark that turns the direction of text, which bind writes in no value";
            return Err(self.fault(reason.to_owned()));
        }
        if self.value.len() > MAX_FILE_SIZE {
            return Err(self.fault(format!("more than {MAX_FILE_SIZE} bytes, which is as long as a file may be")));
        }
        if self.key == "HOSTNAME" && self.value.parse().is_ok_and(|name: DomainName| name.has_outer_hyphen()) {
            return Err(self.fault(OUTER_HYPHEN.to_owned()));
        }
        Ok(())
    }

    /// The line of the file. Quotes of the value stay where others are around it.
    fn line(&self) -> String {
        let quote = if self.value.starts_with(['"', '\'']) { "\"" } else { "" };
        format!("{}={quote}{}{quote}\n", self.key, self.value)
    }

    fn fault(&self, reason: String) -> Fault {
        let given = Some(self.given.clone()).filter(|given| !given.is_empty());
        Fault { option: Some(self.option.clone()), given, reason }
    }
}

/// A binding that says nothing but what the options said.
#[derive(Debug)]
pub(super) struct Draft<'a>(Vec<&'a Said>);

impl<'a> Draft<'a> {
    /// All that is said. Whether it makes sense is not looked at yet.
    pub(super) fn new(said: &'a [Said]) -> Result<Self, Fault> {
        said.iter().try_for_each(Said::check)?;
        let mut all: Vec<&Said> = Vec::new();
        for said in said.iter().filter(|said| !said.value.is_empty()) {
            if let Some(other) = all.iter().find(|other| other.key == said.key) {
                return Err(said.fault(format!("{} is said by {} as well", said.key, other.option)));
            }
            all.push(said);
        }
        Ok(Self(all))
    }

    /// The text of the file.
    pub(super) fn text(&self) -> String {
        self.0.iter().map(|said| said.line()).collect()
    }

    /// The binding that `path` will be, read as the daemon reads it.
    pub(super) fn parse(&self, path: &Path) -> Result<Parsed, Fault> {
        parse(path, self.text().as_bytes()).map_err(|error| self.explain(error))
    }

    /// A fault of the file as one of the option that it comes from.
    pub(super) fn explain(&self, error: BindingError) -> Fault {
        let said = self.0.iter().find(|said| error.key.as_deref() == Some(&said.key));
        match (said, error.key) {
            (Some(said), _) => said.fault(error.reason),
            (None, key) => {
                Fault { option: key.map(|key| option_of(&key).unwrap_or(key)), given: None, reason: error.reason }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::binding::Binding;

    const PATH: &str = "bindings/tap0";

    fn said(pairs: &[(&str, &str)]) -> Vec<Said> {
        pairs.iter().map(|(key, value)| Said::new(format!("--set {key}"), value, key, value)).collect()
    }

    fn parsed(pairs: &[(&str, &str)]) -> Result<Parsed, Fault> {
        let usual = [("MAC", "52:54:00:00:00:01"), ("HOSTNAME", "guest1")];
        let usual = usual.iter().filter(|(key, _)| !pairs.iter().any(|(other, _)| other == key));
        let said = said(&usual.chain(pairs).copied().collect::<Vec<_>>());
        Draft::new(&said)?.parse(Path::new(PATH))
    }

    fn binding(pairs: &[(&str, &str)]) -> Binding {
        parsed(pairs).unwrap().binding
    }

    #[test]
    fn a_value_is_read_back_as_it_was_given() {
        for text in [
            "a b",
            "'a'",
            "\"a\"",
            "\"\"a\"\"",
            "'",
            "\"",
            "\"a",
            "a\"",
            "'a\"",
            "\"'a'\"",
            "\" a \"",
            "# no comment",
            "A=B",
            "\\n",
            "$(touch pwned)",
            "ü",
        ] {
            let binding = binding(&[("TAGS", text), ("MACSPOOF", "")]);
            assert_eq!((&*binding.tags, binding.settings.macspoof), (text, false), "{text}");
            assert_eq!(binding.settings.unknown, []);
        }
        assert_eq!(&*binding(&[("TAGS", " a\n")]).tags, "a", "white space around a value is none of it");
    }

    #[test]
    fn nothing_makes_a_second_line_or_key() {
        for end in [
            "\n", "\r", "\r\n", "\0", "\u{b}", "\u{c}", "\u{1c}", "\u{85}", "\u{2028}", "\u{2029}", "\u{9b}",
            "\u{202e}",
        ] {
            let fault = parsed(&[("TAGS", &format!("a{end}MACSPOOF=1"))]).unwrap_err().to_string();
            assert!(fault.starts_with("--set TAGS=\"a\\") && fault.contains("line break"), "{fault}");
        }
        for key in ["#MAC", "MAC\nMACSPOOF", "", "mac", "OPTION_", "OPTION_1x", "GATWAY"] {
            let fault = parsed(&[(key, "1")]).unwrap_err().to_string();
            assert!(fault.contains("unknown key") && !fault.contains('\n'), "{fault}");
        }
        let fault = parsed(&[("GATWAY", "")]).unwrap_err().to_string();
        assert_eq!(fault, "--set GATWAY: unknown key; did you mean GATEWAY?");
    }

    #[test]
    fn a_fault_is_the_options() {
        for (pairs, expected) in [
            (&[("IP", "192.0.2.300")][..], "--set IP=\"192.0.2.300\": "),
            (&[("MAC", "")], "--mac: required"),
            (&[("HOSTNAME", " ")], "--hostname: required"),
            (&[("IP", "192.0.2.1"), ("IP", "192.0.2.2")], "--set IP=\"192.0.2.2\": IP is said by --set IP as well"),
            (&[("IP", "192.0.2.1"), ("SUBNET", "198.51.100.0/24")], "--set IP=\"192.0.2.1\": outside SUBNET"),
            (&[("HOSTNAME", "-x")], "--set HOSTNAME=\"-x\": a part of the name begins or ends with '-'"),
            (&[("HOSTNAME", "a.b-.c")], "--set HOSTNAME=\"a.b-.c\": a part of the name"),
        ] {
            let fault = parsed(pairs).unwrap_err().to_string();
            assert!(fault.starts_with(expected), "{fault}");
        }
        let fault = parsed(&[("TAGS", &"x".repeat(70_000))]).unwrap_err().to_string();
        assert!(fault.starts_with("--set TAGS=\"xxx") && fault.contains("more than 65536 bytes"), "{fault}");
    }

    #[test]
    fn what_is_empty_is_not_said() {
        let pairs = [("IP", ""), ("IP", "192.0.2.1"), ("GATEWAY", " \t"), ("MTU", "")];
        let binding = binding(&pairs);
        assert_eq!(binding.ipv4.unwrap().gateway, None);
        assert_eq!(binding.settings.mtu, None);
    }
}
