//! Targets for the two text formats, and for the lines of the control socket.

use std::fmt::Display;
use std::path::Path;

use nfdhcpd::binding;
use nfdhcpd::config::{self, Faults};
use nfdhcpd::control::{Answer, Request, from_line, to_line};
use nfdhcpd::engine::{Event, Link};

use crate::fixtures::{self, Way};
use crate::node::Node;
use crate::packet;

/// Whatever is in a file, what is said about it is one line of at most this many bytes.
const LONGEST_LINE: usize = 2000;

/// A configuration file; if it is good, a node runs with it, and one that runs takes it over.
pub fn config(data: &[u8]) {
    let parsed = match config::parse(Path::new("nfdhcpd.conf"), data) {
        Ok(parsed) => parsed,
        Err(Faults { errors, warnings, .. }) => {
            assert!(!errors.is_empty());
            return errors.iter().chain(&warnings).for_each(check_line);
        }
    };
    parsed.warnings.iter().for_each(check_line);
    let running = fixtures::config();
    let kept = running.keep_fixed(parsed.config.clone());
    assert!(running.needs_restart(&kept).is_empty(), "{:?}", running.needs_restart(&kept));
    let mut node = fixtures::node();
    node.handle_event(Event::ConfigChanged(kept.into()));
    ask(&mut node, &fixtures::bindings().next().expect("a binding"));
    start(parsed.config);
}

fn start(config: config::Config) {
    let mut node = Node::new(config, 1);
    for binding in fixtures::bindings() {
        node.handle_event(Event::BindingLoaded(Box::new(binding)));
    }
    for link in fixtures::links() {
        node.handle_event(Event::LinkChanged(link));
    }
    ask(&mut node, &fixtures::bindings().next().expect("a binding"));
}

/// A binding file; if it is good, its guest asks.
pub fn binding(data: &[u8]) {
    let parsed = match binding::parse::parse(Path::new("bindings/tap0"), data) {
        Ok(parsed) => parsed,
        Err(error) => return check_line(&error),
    };
    parsed.warnings.iter().for_each(check_line);
    let binding = parsed.binding;
    let mut node = fixtures::node();
    let indev = Link { name: binding.indev, ..fixtures::link(9, "indev", None) };
    if !binding.is_routed() {
        node.handle_event(Event::LinkChanged(indev));
    }
    node.handle_event(Event::BindingLoaded(Box::new(binding.clone())));
    ask(&mut node, &binding);
    node.handle_event(Event::BindingRemoved(binding.tap));
    node.advance_to_timeout();
    node.drain();
}

/// A line on the control socket: what is taken is said again in the same words, in ASCII alone.
pub fn control(data: &[u8]) {
    match Request::from_line(data) {
        Ok(request) => {
            let line = to_line(&request);
            check_json(&line);
            // What is escaped may be longer than what was read.
            assert!(line.len() > Request::MAX_LEN || Request::from_line(line.as_bytes()) == Ok(request));
        }
        Err(reason) => assert!(reason.len() <= LONGEST_LINE + Request::MAX_LEN, "{} bytes", reason.len()),
    }
    if let Ok(answer) = from_line::<Answer>(data) {
        let line = to_line(&answer);
        check_json(&line);
        assert_eq!(from_line::<Answer>(line.as_bytes()).expect("our own line"), answer);
    }
}

fn check_json(line: &str) {
    let content = line.strip_suffix('\n').expect("the end of the line");
    assert!(content.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()), "{content:?}");
}

/// What DISCOVERs say besides that: nothing, and what UEFI HTTP Boot and iPXE say of themselves.
const DISCOVERS: [&[u8]; 3] = [b"", b"\x3c\x0aHTTPClient\x5d\x02\x00\x10", b"\x4d\x04iPXE\x5d\x02\x00\x07"];

/// An Information-Request, and a Solicit for an address and a prefix.
const DHCPV6: [&[u8]; 2] = [
    &[11, 1, 2, 3],
    b"\x01\x01\x02\x03\0\x01\0\x01c\0\x03\0\x0c\0\0\0\x01\0\0\0\0\0\0\0\0\0\x19\0\x0c\0\0\0\x01\0\0\0\0\0\0\0\0",
];

/// Sends DISCOVERs, a Router Solicitation and messages of DHCPv6 from the guest of `binding`, which is at `tap0`.
fn ask(node: &mut Node, binding: &binding::Binding) {
    let mut bootp = vec![0; 236];
    bootp[..3].copy_from_slice(&[1, 1, 6]);
    bootp[28..34].copy_from_slice(&binding.mac.octets());
    bootp.extend([99, 130, 83, 99, 53, 1, 1, 57, 2, 5, 220]);
    let link_local = binding.mac.link_local().octets();
    let servers = [0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 2];
    let discover = |options: &[u8]| {
        let message = [&bootp, options, &[255]].concat();
        packet::ipv4([0; 4], [255; 4], packet::PROTOCOL_UDP, &packet::udp(68, 67, &message))
    };
    let dhcpv6 =
        |message: &[u8]| packet::ipv6(link_local, servers, packet::PROTOCOL_UDP, 1, &packet::udp(546, 547, message));
    let solicitation = packet::ipv6(link_local, servers, packet::PROTOCOL_ICMPV6, 255, &[133, 0, 0, 0, 0, 0, 0, 0]);
    let packets = DISCOVERS.into_iter().map(discover).chain(DHCPV6.into_iter().map(dhcpv6)).chain([solicitation]);
    for packet in packets {
        let mut ingress = Way::Routed.ingress(&packet);
        ingress.source_mac = Some(binding.mac);
        node.handle_packet(&ingress);
    }
    node.drain();
}

pub(crate) fn check_line(message: &impl Display) {
    let line = message.to_string();
    assert!(!line.contains(char::is_control), "{line:?}");
    assert!(line.len() <= LONGEST_LINE, "{} bytes", line.len());
}
