//! Targets for the two text formats.

use std::fmt::Display;
use std::path::Path;

use nfdhcpd::engine::{Event, Link};
use nfdhcpd::{binding, config};

use crate::fixtures::{self, Way};
use crate::node::Node;
use crate::packet;

/// Whatever is in a file, what is said about it is one line of at most this many bytes.
const LONGEST_LINE: usize = 2000;

/// A configuration file; if it is good, a node runs with it, and one that runs takes it over.
pub fn config(data: &[u8]) {
    let parsed = match config::parse(Path::new("nfdhcpd.conf"), data) {
        Ok(parsed) => parsed,
        Err(errors) => {
            assert!(!errors.is_empty());
            return errors.iter().for_each(check_line);
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

/// Sends a DISCOVER, a Router Solicitation and an Information-Request from the guest of `binding`, which is at `tap0`.
fn ask(node: &mut Node, binding: &binding::Binding) {
    let mut bootp = vec![0; 236];
    bootp[..3].copy_from_slice(&[1, 1, 6]);
    bootp[28..34].copy_from_slice(&binding.mac.octets());
    bootp.extend([99, 130, 83, 99, 53, 1, 1, 57, 2, 5, 220, 255]);
    let link_local = binding.mac.link_local().octets();
    let servers = [0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 2];
    for packet in [
        packet::ipv4([0; 4], [255; 4], packet::PROTOCOL_UDP, &packet::udp(68, 67, &bootp)),
        packet::ipv6(link_local, servers, packet::PROTOCOL_ICMPV6, 255, &[133, 0, 0, 0, 0, 0, 0, 0]),
        packet::ipv6(link_local, servers, packet::PROTOCOL_UDP, 1, &packet::udp(546, 547, &[11, 1, 2, 3])),
    ] {
        let mut ingress = Way::Routed.ingress(&packet);
        ingress.source_mac = Some(binding.mac);
        node.handle_packet(&ingress);
    }
    node.drain();
}

fn check_line(message: &impl Display) {
    let line = message.to_string();
    assert!(!line.contains(char::is_control), "{line:?}");
    assert!(line.len() <= LONGEST_LINE, "{} bytes", line.len());
}
