//! The corpus against what is expected of it, byte for byte.
//!
//! `UPDATE_GOLDEN=1 cargo test --test golden` takes what comes out for right. What that changes is for a reviewer to
//! read: `expected.txt` says of each packet what it tries, what became of it, and what exactly was answered.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a panic is how a test fails")]
#![allow(clippy::disallowed_methods, reason = "tests read files")]

mod corpus;
mod decode;

use std::fs;
use std::path::Path;

use corpus::Case;

#[test]
fn the_corpus_is_answered_as_expected() {
    let is_update = std::env::var_os("UPDATE_GOLDEN").is_some();
    let faults: Vec<String> = corpus::cases().iter().filter_map(|case| run(case, is_update).err()).collect();
    assert!(faults.is_empty(), "{}\n\nUPDATE_GOLDEN=1 cargo test --test golden", faults.join("\n\n"));
}

fn run(case: &Case, is_update: bool) -> Result<(), String> {
    let written = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("golden-{}.pcap", case.name()));
    let output = case.replay(&written);
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let stderr = text(&output.stderr);
    if !output.status.success() {
        return Err(format!("{}: {}\n{stderr}", case.name(), output.status));
    }
    let replies = corpus::frames(&written);
    let found = annotate(&case.labels(), &text(&output.stdout), &stderr, &replies);
    let bytes = fs::read(&written).unwrap();
    let (expected_text, expected_pcap) = (case.path("expected.txt"), case.path("expected.pcap"));
    if is_update {
        fs::write(expected_text, found).unwrap();
        fs::write(expected_pcap, bytes).unwrap();
        return Ok(());
    }
    compare(&fs::read_to_string(expected_text).unwrap_or_default(), &found).map_err(|fault| case.name() + &fault)?;
    let is_same = fs::read(expected_pcap).unwrap_or_default() == bytes;
    if is_same { Ok(()) } else { Err(format!("{}: expected.pcap has other bytes", case.name())) }
}

/// What replay says, with what each packet tries before and the reply in full behind its line.
fn annotate(labels: &[String], stdout: &str, stderr: &str, replies: &[Vec<u8>]) -> String {
    let mut text = String::new();
    let mut replies = replies.iter();
    stderr.lines().for_each(|line| text.push_str(&format!("stderr: {line}\n")));
    let (packets, summary) = stdout.split_once("\n\n").unwrap();
    for (index, line) in packets.lines().enumerate() {
        if let Some(label) = labels.get(index) {
            text.push_str(&format!("\n# {label}\n"));
        }
        text.push_str(&format!("{line}\n"));
        if line.contains(" -> answered ") {
            let reply = decode::reply(replies.next().unwrap());
            reply.lines().for_each(|line| text.push_str(&format!("    {line}\n")));
        }
    }
    assert_eq!(replies.next(), None, "a reply without a packet");
    format!("{text}\n{summary}")
}

/// The first line that differs.
fn compare(expected: &str, found: &str) -> Result<(), String> {
    if expected == found {
        return Ok(());
    }
    let differs = |(_, (one, other)): &(usize, (&str, &str))| one != other;
    let mut pairs = expected.lines().chain(["(end)"]).zip(found.lines().chain(["(end)"])).enumerate();
    let (index, (one, other)) = pairs.find(differs).unwrap_or_default();
    Err(format!("/expected.txt:{}:\nexpected: {one}\n   found: {other}", index + 1))
}
