//! The value of a property: comma lists, quotes and inline comments.

use std::fmt;

use crate::text;

/// A value, split at its commas, without quotes and comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Value<'a> {
    /// What follows the name of its row in the key.
    suffix: &'a str,
    items: Vec<&'a str>,
    /// Whether there was a comma, if only a last one.
    is_list: bool,
}

impl<'a> Value<'a> {
    /// Splits what is right of the `=`. `#`, `,` and white space stand for themselves between quotes; quotes only
    /// count at the start of an item.
    pub(super) fn split(raw: &'a str) -> Result<Self, String> {
        let (mut item, mut rest) = first_item(raw)?;
        let mut items = vec![item];
        let mut is_list = false;
        while let Some(more) = rest.strip_prefix(',') {
            (item, rest) = first_item(more)?;
            items.push(item);
            is_list = true;
        }
        // What is left of an empty value, and of the end of a list after its last comma.
        if item.is_empty() {
            items.pop();
        }
        Ok(Self { suffix: "", items, is_list })
    }

    /// The value of a key with this suffix.
    pub(super) fn with_suffix(self, suffix: &'a str) -> Self {
        Self { suffix, ..self }
    }

    /// What follows the name of its row in the key.
    pub(super) fn suffix(&self) -> &'a str {
        self.suffix
    }

    /// Whether there is nothing, so that the key counts as unset.
    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Reads the only item.
    pub(super) fn one<T>(&self, read: impl Fn(&str) -> Result<T, String>) -> Result<T, String> {
        match self.items.as_slice() {
            [item] if !self.is_list => read(item),
            _ => Err("not one value but a list; a comma that is meant goes between quotes".to_owned()),
        }
    }

    /// Reads each item.
    pub(super) fn list<T>(&self, read: impl Fn(&str) -> Result<T, String>) -> Result<Vec<T>, String> {
        text::list(self.items.iter().copied(), read)
    }
}

impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.items.join(", "))
    }
}

/// The first item of `raw`, and what follows it: nothing, or a comma or a comment with the rest.
fn first_item(raw: &str) -> Result<(&str, &str), String> {
    let raw = raw.trim_start();
    let Some(quote) = raw.chars().next().filter(|c| matches!(c, '"' | '\'')) else {
        let end = raw.find([',', '#']).unwrap_or(raw.len());
        let (item, rest) = raw.split_at(end);
        return Ok((item.trim_end(), rest));
    };
    let inner = raw.strip_prefix(quote).unwrap_or(raw);
    let (item, rest) = inner.split_once(quote).ok_or("a quote without its pair")?;
    let rest = rest.trim_start();
    if rest.is_empty() || rest.starts_with([',', '#']) {
        Ok((item.trim(), rest))
    } else {
        Err("text after the closing quote".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn splits_lists() {
        for (raw, items, is_list) in [
            ("", vec![], false),
            ("  # nothing", vec![], false),
            ("''", vec![], false),
            (",", vec![""], true),
            ("nobody", vec!["nobody"], false),
            ("604800 # 1 week, or so", vec!["604800"], false),
            ("604800# \"1 week", vec!["604800"], false),
            ("a, b ,c", vec!["a", "b", "c"], true),
            ("a, b, # c", vec!["a", "b"], true),
            ("a,", vec!["a"], true),
            ("a,,b", vec!["a", "", "b"], true),
            (r#""a#b, c" # d"#, vec!["a#b, c"], false),
            (r#"'a' , "b" ,"#, vec!["a", "b"], true),
            ("it's", vec!["it's"], false),
        ] {
            assert_eq!(Value::split(raw), Ok(Value { suffix: "", items, is_list }), "{raw}");
        }
    }

    #[test]
    fn refuses_lone_quotes() {
        for raw in ["\"a", "'", "a, \"b", "'a' b", "\"a\"b"] {
            assert!(Value::split(raw).is_err(), "{raw}");
        }
    }

    #[test]
    fn a_list_is_not_one_value() {
        let one = |raw| Value::split(raw).unwrap().one(|item| Ok(item.to_owned()));
        assert_eq!(one("a # b"), Ok("a".to_owned()));
        assert!(one("a,").is_err() && one("a, b").is_err());
    }
}
