//! Files of `KEY=VALUE` that a shell could read, read as data: nothing in them is ever executed or expanded.

use crate::text::Shown;

/// A line that sets a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    /// The line, from 1.
    pub line: u32,
    /// What is left of the first `=`.
    pub key: String,
    /// The value, without the quotes that it was written in.
    pub value: String,
}

/// A line that cannot be read. Shown on one line of bounded length.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{line}: {}: {reason}", Shown(.text))]
pub struct BadLine {
    /// The line, from 1.
    pub line: u32,
    /// The line as written.
    pub text: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

/// Reads an administrator's file, as those under `/etc/default`: quotes as in a shell, comments, `export` in front.
pub fn read_shell(text: &str) -> Result<Vec<Assignment>, BadLine> {
    numbered(text).map(|(line, content)| shell_line(line, content)).collect()
}

/// Reads the file that Ganeti writes for a NIC of Xen. Its values are written raw: some have double quotes around them, and
/// nothing in them is escaped.
///
/// A key that comes twice is an error. The name of a network or a NIC may hold a line break, and behind it what looks like
/// another key: whichever of the two were taken could be the forged one.
pub fn read_raw(text: &str) -> Result<Vec<Assignment>, BadLine> {
    let mut assignments: Vec<Assignment> = Vec::new();
    for (line, content) in numbered(text) {
        let bad = |reason| BadLine { line, text: content.to_owned(), reason };
        let (key, value) = content.split_once('=').ok_or_else(|| bad(NO_ASSIGNMENT))?;
        if assignments.iter().any(|earlier| earlier.key == key) {
            return Err(bad("the same key twice"));
        }
        let within = |quote| value.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
        let quoted = within('"').or_else(|| within('\''));
        assignments.push(Assignment { line, key: key.to_owned(), value: quoted.unwrap_or(value).to_owned() });
    }
    Ok(assignments)
}

const NO_ASSIGNMENT: &str = "not KEY=VALUE";

/// The lines that say something, with their numbers.
fn numbered(text: &str) -> impl Iterator<Item = (u32, &str)> {
    (1..).zip(text.lines().map(str::trim)).filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
}

fn shell_line(line: u32, content: &str) -> Result<Assignment, BadLine> {
    let bad = |reason| BadLine { line, text: content.to_owned(), reason };
    if content.contains(['$', '`']) {
        return Err(bad("the file is read as data: no $ and no `"));
    }
    let words = shlex::split(content).ok_or_else(|| bad("a quote that is not closed"))?;
    let words = words.strip_prefix(&["export".to_owned()]).unwrap_or(&words);
    let [word] = words else {
        return Err(bad("not KEY=VALUE; a value with white space needs quotes around it"));
    };
    let (key, value) = word.split_once('=').ok_or_else(|| bad(NO_ASSIGNMENT))?;
    Ok(Assignment { line, key: key.to_owned(), value: value.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(read: Result<Vec<Assignment>, BadLine>) -> Vec<(u32, String, String)> {
        read.unwrap().into_iter().map(|a| (a.line, a.key, a.value)).collect()
    }

    fn pair(line: u32, key: &str, value: &str) -> (u32, String, String) {
        (line, key.to_owned(), value.to_owned())
    }

    #[test]
    fn reads_what_a_shell_would() {
        let text = "# comment\n\nA=b\n  export B='c d' # why\nC=\"e \\\" f\"\nD=\nE=x=y\r\n";
        let expected =
            [pair(3, "A", "b"), pair(4, "B", "c d"), pair(5, "C", "e \" f"), pair(6, "D", ""), pair(7, "E", "x=y")];
        assert_eq!(pairs(read_shell(text)), expected);
    }

    #[test]
    fn executes_and_expands_nothing() {
        for (text, line) in
            [("A=$(reboot)", 1), ("A=1\nB=`reboot`", 2), ("A=$HOME", 1), ("A='b", 1), ("reboot", 1), ("A=b reboot", 1)]
        {
            assert_eq!(read_shell(text).unwrap_err().line, line, "{text}");
        }
    }

    #[test]
    fn reads_what_ganeti_writes_for_xen() {
        let text = "TAGS=\"a\\ b\"\nNETWORK_NAME=\"a\"b\"\nMAC=aa:00:00:c2:b2:13\nINTERFACE_NAME=$(reboot) x\nVLAN=\n";
        let expected = [
            pair(1, "TAGS", "a\\ b"),
            pair(2, "NETWORK_NAME", "a\"b"),
            pair(3, "MAC", "aa:00:00:c2:b2:13"),
            pair(4, "INTERFACE_NAME", "$(reboot) x"),
            pair(5, "VLAN", ""),
        ];
        assert_eq!(pairs(read_raw(text)), expected);
        assert_eq!(
            pairs(read_raw("TAGS='a b'\nA='\nB=\"'")),
            [pair(1, "TAGS", "a b"), pair(2, "A", "'"), pair(3, "B", "\"'")]
        );
        assert_eq!(read_raw("MAC=a\nIP=b\nMAC=c").unwrap_err().line, 3);
        assert_eq!(read_raw("MAC=a\n\n\u{1b}forged").unwrap_err().to_string(), "3: \"\\u{1b}forged\": not KEY=VALUE");
        assert!(read_raw(&"x".repeat(1 << 20)).unwrap_err().to_string().len() < 200);
    }
}
