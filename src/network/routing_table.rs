//! Routing tables by number and by name.

use std::collections::BTreeMap;

/// The names of routing tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names(BTreeMap<String, u32>);

impl Default for Names {
    /// Those that need no file (`RT_TABLE_*`, linux/rtnetlink.h).
    fn default() -> Self {
        Self([("default", 253), ("main", 254), ("local", 255)].map(|(name, number)| (name.to_owned(), number)).into())
    }
}

impl Names {
    /// Learns the names of a file as iproute2 has it: a line for each table, with its number and its name; `#` begins a
    /// comment. A name that is known already is learned anew; a line that says anything else is left out.
    pub fn add(&mut self, text: &str) {
        let lines = text.lines().filter_map(|line| line.split('#').next());
        self.0.extend(lines.filter_map(read_line));
    }

    /// The number of a table: by its name, else as a number is written. Never 0, which is no table.
    pub fn number(&self, text: &str) -> Option<u32> {
        self.0.get(text).copied().or_else(|| read_number(text))
    }
}

fn read_line(line: &str) -> Option<(String, u32)> {
    let mut words = line.split_whitespace();
    let number = read_number(words.next()?)?;
    let name = words.next()?.to_owned();
    words.next().is_none().then_some((name, number))
}

/// A number, decimal or hexadecimal.
fn read_number(text: &str) -> Option<u32> {
    let (digits, radix) = text.strip_prefix("0x").map_or((text, 10), |digits| (digits, 16));
    // from_str_radix alone would take a sign.
    let is_number = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    u32::from_str_radix(digits, radix).ok().filter(|number| is_number && *number != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_file_and_those_that_need_none() {
        let mut names = Names::default();
        names
            .add("#\n# reserved\n255\tlocal\n0\tunspec\n 100  blue # comment\n0x65 red\nwrong\n7 a b\n-1 minus\n103\n");
        let cases = [
            ("blue", Some(100)),
            ("red", Some(101)),
            ("main", Some(254)),
            ("default", Some(253)),
            ("local", Some(255)),
            ("unspec", None),
            ("wrong", None),
            ("a", None),
            ("minus", None),
        ];
        for (text, expected) in cases {
            assert_eq!(names.number(text), expected, "{text}");
        }
        names.add("200 blue");
        assert_eq!(names.number("blue"), Some(200));
    }

    #[test]
    fn numbers_are_tables_but_for_zero() {
        let names = Names::default();
        let good = [("1", 1), ("254", 254), ("0x64", 100), ("4294967295", u32::MAX)];
        for (text, expected) in good {
            assert_eq!(names.number(text), Some(expected), "{text}");
        }
        for text in ["", "0", "0x", "+1", "-1", "4294967296", "1 ", "1.0", "tap0"] {
            assert_eq!(names.number(text), None, "{text}");
        }
    }
}
