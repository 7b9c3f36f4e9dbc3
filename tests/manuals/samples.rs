//! What a page says of keys, from the sample files that explain each of them.

use crate::roff::{bold, definition, escaped, italic, sentence};

/// Paragraphs of a file, which blank lines part.
fn paragraphs(text: &str) -> impl Iterator<Item = Vec<&str>> {
    text.split("\n\n").map(|paragraph| paragraph.lines().collect())
}

/// The keys of `nfdhcpd.conf` by sections.
pub(crate) fn configuration(text: &str) -> String {
    let sections = text.split_once("\n[").expect("a section").0;
    let introduction = sections.rfind("\n\n").expect("an introduction");
    paragraphs(&text[introduction..]).map(|paragraph| configured(&paragraph)).collect()
}

/// Comments, then what they are about: a section, or keys.
fn configured(paragraph: &[&str]) -> String {
    let (words, subjects) = apart(paragraph);
    let meaning = described(&words);
    match *subjects {
        [] if words.is_empty() => String::new(),
        [] => format!(".PP\n{meaning}\n"),
        [section] if section.starts_with('[') => format!(".SS {section}\n{meaning}\n"),
        _ => definition(&terms(&subjects, " = "), &meaning),
    }
}

/// The comments of some lines, without their sign, and the others.
fn apart<'a>(lines: &[&'a str]) -> (Vec<&'a str>, Vec<&'a str>) {
    let (comments, others): (Vec<&str>, Vec<&str>) = lines.iter().partition(|line| is_comment(line));
    (comments.iter().map(|line| &line[1..]).collect(), others)
}

fn is_comment(line: &str) -> bool {
    line.starts_with("# ")
}

/// Keys that share a meaning.
fn terms(lines: &[&str], sign: &str) -> String {
    lines.iter().map(|line| assignment(line, sign)).collect::<Vec<_>>().join("\n.TQ\n")
}

/// Words, and a list of those that are indented: each item a name, a gap and its meaning, which may go on in the next lines.
fn described(words: &[&str]) -> String {
    let (mut text, mut items) = (String::new(), Vec::<(&str, String)>::new());
    for line in words {
        match line.strip_prefix("   ").map(|item| item.split_once(' ').expect("a name and its meaning")) {
            None => text = format!("{text} {}", line.trim()),
            Some(("", more)) => items.last_mut().expect("an item").1 += &format!(" {}", more.trim()),
            Some((name, meaning)) => items.push((name, meaning.trim().to_owned())),
        }
    }
    let items = items.iter().map(|(name, meaning)| definition(&bold(name), &escaped(&sentence(meaning))));
    let items: String = items.collect();
    let list = if items.is_empty() { items } else { format!("\n.RS\n{items}.RE") };
    format!("{}{list}", escaped(&sentence(&text)))
}

/// `key = value # remark`, set or commented out.
fn assignment(line: &str, sign: &str) -> String {
    let line = line.trim_start_matches('#');
    let (key, value) = line.split_once(sign).unwrap_or_else(|| panic!("no key: {line}"));
    let (value, remark) = value.split_once(" # ").map_or((value, None), |(value, remark)| (value, Some(remark)));
    let remark = remark.map(|remark| format!(" ({})", escaped(remark))).unwrap_or_default();
    let value = if value.is_empty() { String::new() } else { italic(value) };
    format!("{}{}{value}{remark}", bold(key), escaped(sign))
}

/// The keys of `/etc/default/snf-network`, under its headings.
pub(crate) fn settings(text: &str) -> String {
    let mut page = String::new();
    for paragraph in paragraphs(text).skip(1) {
        let groups = paragraph.chunk_by(|line, next| is_comment(line) || !is_comment(next));
        groups.for_each(|group| page += &set(group));
    }
    page
}

/// Comments, then the keys that they are about. A heading, or what leads to several keys, stands before them.
fn set(group: &[&str]) -> String {
    let (comments, keys) = apart(group);
    let (mut before, mut words) = (String::new(), Vec::new());
    for comment in comments.into_iter().map(str::trim) {
        match comment.strip_prefix("--- ") {
            Some(heading) => before += &format!(".SS {}\n", capital(heading)),
            None if comment.ends_with(':') => before += &format!(".PP\n{}\n", escaped(comment)),
            None => words.push(comment),
        }
    }
    let meaning = escaped(&sentence(&words.join(" ")));
    if keys.is_empty() { before } else { before + &definition(&terms(&keys, "="), &meaning) }
}

fn capital(text: &str) -> String {
    let mut characters = text.chars();
    let first: String = characters.next().into_iter().flat_map(char::to_uppercase).collect();
    escaped(&format!("{first}{}", characters.as_str()))
}
