//! Others' judgement of the corpus: every expected reply as tshark sees it, every input as its generator makes it.
//!
//! Skipped where the tool is not installed; a failure then, if NFDHCPD_STRICT is set.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a panic is how a test fails")]
#![allow(clippy::disallowed_methods, reason = "tests read files")]

mod corpus;
mod decode;

use std::path::Path;
use std::process::Command;

use corpus::{Case, skip};

/// What tshark is told: verify every checksum, and put no messages together over packets.
const PREFERENCES: [&str; 3] = ["ip.check_checksum:TRUE", "udp.check_checksum:TRUE", "ip.defragment:FALSE"];

/// A frame with any of these has a wrong checksum, or none.
const BAD_CHECKSUM: &str =
    "ip.checksum.status != \"Good\" || udp.checksum.status != \"Good\" || icmpv6.checksum.status != \"Good\"";

/// A frame with any of these is not well-formed.
const MALFORMED: &str = "_ws.malformed || _ws.expert.severity >= \"Warning\"";

#[test]
fn tshark_finds_nothing_wrong_with_any_reply() {
    if !is_installed("tshark") {
        return skip("tshark is not installed");
    }
    for case in corpus::cases() {
        let replies = case.path("expected.pcap");
        let filter = format!("{BAD_CHECKSUM} || ({MALFORMED}) && !(frame.number in {{{}}})", split(&replies));
        assert_eq!(tshark(&replies, &filter), "", "{}", case.name());
    }
}

/// The numbers of replies with an option in several parts: tshark does not put them together (RFC 3396), and takes each
/// part for malformed. The golden test reads them in its own way.
fn split(replies: &Path) -> String {
    let frames = corpus::frames(replies);
    let split = (1..).zip(&frames).filter(|(_, frame)| decode::has_split_option(frame));
    // No frame has the number 0; the set must not be empty.
    split.fold("0".to_owned(), |set, (number, _)| format!("{set}, {number}"))
}

/// What it makes of the options that others wrote a decoder for: preference, routes, portal and PREF64.
#[test]
fn tshark_reads_the_options_of_advertisements() {
    if !is_installed("tshark") {
        return skip("tshark is not installed");
    }
    let case = Case { directory: corpus::directory().join("router-advertisements-full") };
    let replies = case.path("expected.pcap");
    let fields = [
        "nd.ra.flag.prf",
        "opt.prefix",
        "opt.prefix.length",
        "opt.route_info.flag.route_preference",
        "opt.route_lifetime",
        "opt.captive_portal",
        "opt.pref64.scaled_lifetime",
        "opt.pref64.prefix",
    ];
    let routes = "\
        1 2001:db8::,2000::,2001:db8:8000::,2001:db8:ffff:ffff::,2001:db8:ffff:fffe:8000::,2001:db8::53 \
        64,3,33,64,65,128 0,1,3,0,1 2400,2400,2400,2400,2400 https://portal.example.com/api 8191 64:ff9b::";
    assert_eq!(tshark_fields(&replies, "frame.number == 5", &fields), [routes]);
    let codes = ["0x0000", "0x0001", "0x0002", "0x0003", "0x0004", "0x0005"];
    assert_eq!(tshark_fields(&replies, "frame.number > 10", &["opt.pref64.plc"]), codes);
}

/// These fields of ICMPv6 in the frames of `capture` that the filter picks, one line each.
fn tshark_fields(capture: &Path, filter: &str, fields: &[&str]) -> Vec<String> {
    let fields: Vec<String> = fields.iter().flat_map(|name| ["-e".to_owned(), format!("icmpv6.{name}")]).collect();
    let format = ["-T", "fields", "-E", "separator=/s"].map(str::to_owned);
    let lines = tshark_with(capture, filter, &[&format, fields.as_slice()].concat());
    lines.lines().map(str::to_owned).collect()
}

/// The filter above would also be silent if it were wrong: replies with a flipped bit must not pass.
#[test]
fn tshark_would_find_a_wrong_checksum() {
    if !is_installed("tshark") {
        return skip("tshark is not installed");
    }
    let case = Case { directory: corpus::directory().join("identity-by-mac") };
    let damaged = Path::new(env!("CARGO_TARGET_TMPDIR")).join("damaged.pcap");
    let mut bytes = std::fs::read(case.path("expected.pcap")).unwrap();
    let frames = corpus::frames(&case.path("expected.pcap"));
    let mut end = 24;
    for frame in &frames {
        end += 16 + frame.len();
        bytes[end - 1] ^= 1;
    }
    std::fs::write(&damaged, bytes).unwrap();
    assert_eq!(tshark(&damaged, BAD_CHECKSUM).lines().count(), frames.len());
}

/// The frames of `capture` that the filter picks, one line each.
fn tshark(capture: &Path, filter: &str) -> String {
    tshark_with(capture, filter, &[])
}

/// The same with these arguments, which say how a line looks.
fn tshark_with(capture: &Path, filter: &str, arguments: &[String]) -> String {
    let mut command = Command::new("tshark");
    for preference in PREFERENCES {
        command.args(["-o", preference]);
    }
    let output = command.arg("-r").arg(capture).args(["-Y", filter]).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_inputs_are_what_the_generator_makes() {
    if !is_installed("python3") {
        return skip("python3 is not installed");
    }
    let generator = corpus::directory().join("generate.py");
    let output = Command::new("python3").arg("-B").arg(generator).arg("--check").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn is_installed(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success())
}
