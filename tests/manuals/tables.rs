//! What a page says of keys and tags, from the tables of documents.

use crate::roff::{bold, definition, from_markdown, sentence};

/// The cells of the rows of the table whose heading begins so, with the heading.
fn rows<'a>(document: &'a str, heading: &str) -> Vec<Vec<&'a str>> {
    let lines = document.lines().skip_while(|line| !line.starts_with(heading));
    let lines: Vec<_> = lines.take_while(|line| line.starts_with('|')).collect();
    assert!(lines.len() > 2, "no table {heading}");
    let cells = |line: &&'a str| line.trim_matches('|').split('|').map(str::trim).collect();
    lines.iter().enumerate().filter(|(index, _)| *index != 1).map(|(_, line)| cells(line)).collect()
}

/// A table of two columns: a name, and what it means.
pub(crate) fn definitions(document: &str, heading: &str) -> String {
    let rows = rows(document, heading).into_iter().skip(1);
    // What a row refers to stays in the document.
    let meaning = |cell: &str| from_markdown(&sentence(&cell.replace(" (below)", "")));
    rows.map(|row| definition(&from_markdown(row[0]), &meaning(row[1]))).collect()
}

/// What becomes of each key of a binding: for each protocol that says it, and without it.
pub(crate) fn wire(document: &str) -> String {
    let rows = rows(document, "| key | value, example |");
    let (heading, rows) = rows.split_first().expect("a heading");
    rows.iter().map(|row| definition(&key(row[0]), &said(heading, row))).collect()
}

fn key(cell: &str) -> String {
    let names = cell.split('`').filter(|name| !name.trim().is_empty());
    names.map(|name| bold(&name.replace("<code>", "code"))).collect::<Vec<_>>().join(", ")
}

/// The example, then a sentence for each of the other columns that says something.
fn said(heading: &[&str], row: &[&str]) -> String {
    let example = sentence(&format!("Example: {}", row[1]));
    let columns = heading.iter().zip(row).skip(2).filter(|(_, cell)| !cell.is_empty());
    let columns = columns.map(|(column, cell)| match *column {
        "without" => format!("Without it: {cell}"),
        _ => format!("{column}: {cell}"),
    });
    let sentences = std::iter::once(example).chain(columns.map(|said| sentence(&said)));
    sentences.map(|said| from_markdown(&said)).collect::<Vec<_>>().join("\n")
}
