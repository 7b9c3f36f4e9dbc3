//! Words for manual pages.

/// Text as the formatter takes it for nothing else.
pub(crate) fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for character in text.chars() {
        match character {
            '\\' => escaped.push_str("\\e"),
            '-' => escaped.push_str("\\-"),
            '\'' => escaped.push_str("\\(aq"),
            '"' => escaped.push_str("\\(dq"),
            '§' => escaped.push_str("\\(sc"),
            '×' => escaped.push_str("\\(mu"),
            '…' => escaped.push_str("..."),
            other => escaped.push(other),
        }
    }
    // A control character counts at the beginning of a line.
    if escaped.starts_with('.') { format!("\\&{escaped}") } else { escaped }
}

pub(crate) fn bold(text: &str) -> String {
    format!("\\fB{}\\fR", escaped(text))
}

pub(crate) fn italic(text: &str) -> String {
    format!("\\fI{}\\fR", escaped(text))
}

/// Text of Markdown, in which code stands between back quotes.
pub(crate) fn from_markdown(text: &str) -> String {
    let words = text.split('`').enumerate();
    words.map(|(index, words)| if index % 2 == 1 { bold(words) } else { escaped(words) }).collect()
}

/// A sentence ends like one.
pub(crate) fn sentence(text: &str) -> String {
    let text = text.trim();
    if text.ends_with(['.', ':', '?', '!']) { text.to_owned() } else { format!("{text}.") }
}

/// A term of a list, and what it means: lines of roff.
pub(crate) fn definition(term: &str, meaning: &str) -> String {
    format!(".TP\n{term}\n{meaning}\n")
}

/// Lines as they are, for terminals.
pub(crate) fn example<'a>(lines: impl IntoIterator<Item = &'a str>) -> String {
    let lines: String = lines.into_iter().map(|line| format!("{}\n", escaped(line))).collect();
    format!(".PP\n.EX\n{lines}.EE\n")
}

#[test]
fn words_are_escaped() {
    for (text, expected) in
        [("a-b", "a\\-b"), (".x", "\\&.x"), ("§ 3 × …", "\\(sc 3 \\(mu ..."), ("it's \"\\\"", "it\\(aqs \\(dq\\e\\(dq")]
    {
        assert_eq!(escaped(text), expected);
    }
    assert_eq!(from_markdown("`-n`, or not"), "\\fB\\-n\\fR, or not");
}
