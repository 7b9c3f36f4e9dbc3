//! A guest, its binding and its node, for tests of the engine's parts.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::binding::{Binding, Ipv4Binding, Ipv6Binding, KeyLines, Settings, SparseSettings};
use crate::config::{self, Config};
use crate::wire::{MacAddr, ethernet, ipv6, udp};

/// The guest's MAC.
pub(super) const GUEST: MacAddr = MacAddr::new([0xaa, 0, 0, 0, 0, 1]);
/// The MAC of `INDEV`.
pub(super) const ROUTER: MacAddr = MacAddr::new([0x02, 0, 0, 0, 0, 1]);
/// Somebody else's MAC.
pub(super) const OTHER: MacAddr = MacAddr::new([0x02, 0, 0, 0, 0, 2]);

/// A binding of a routed tap.
pub(super) fn binding() -> Binding {
    Binding {
        tap: "tap0".parse().unwrap(),
        indev: "tap0".parse().unwrap(),
        mac: GUEST,
        hostname: "vm1.example.com".parse().unwrap(),
        ipv4: None,
        ipv6: Some(Ipv6Binding {
            subnets: vec!["2001:db8::/64".parse().unwrap()],
            gateway: Some("2001:db8::1".parse().unwrap()),
            eui64: Some("2001:db8::a800:ff:fe00:1".parse().unwrap()),
            leased: Some("2001:db8::a800:ff:fe00:1".parse().unwrap()),
            delegated: None,
        }),
        tags: Box::default(),
        settings: SparseSettings::default(),
        lines: KeyLines::default(),
    }
}

/// A binding of a routed tap with both families and these settings.
pub(super) fn with_settings(settings: Settings) -> Binding {
    Binding { settings: settings.into(), ..dual_stack() }
}

/// The same on a bridge.
pub(super) fn bridged() -> Binding {
    Binding { indev: "br0".parse().unwrap(), ..binding() }
}

/// A node's configuration with everything on, name servers and a domain, and the defaults of all else.
pub(super) fn node() -> Config {
    const FILE: &str = "[dhcp]\nserver_ip = 192.0.2.1\nnameservers = 192.0.2.53, 192.0.2.54\n\
                        [ipv6]\nrs_queue = 43\nns_queue = 44\ndhcpv6_queue = 45\n\
                        nameservers = 2001:db8::53\ndomains = example.com\n";
    config::parse("nfdhcpd.conf".as_ref(), FILE.as_bytes()).unwrap().config
}

/// The IPv6 part of it.
pub(super) fn config() -> config::Ipv6 {
    node().ipv6.unwrap()
}

/// The IPv4 part of it.
pub(super) fn dhcp() -> config::Dhcp {
    node().dhcp.unwrap()
}

/// The guest's address.
pub(super) const ADDRESS: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 10);

/// A binding of a routed tap with both families.
pub(super) fn dual_stack() -> Binding {
    Binding {
        ipv4: Some(Ipv4Binding {
            address: ADDRESS,
            subnet: "192.0.2.0/24".parse().unwrap(),
            gateway: Some(Ipv4Addr::new(192, 0, 2, 1)),
        }),
        ..binding()
    }
}

/// A DHCPv4 message of the guest: fixed fields, the cookie, `options` and the end option.
pub(super) fn dhcpv4(options: &[u8]) -> Vec<u8> {
    let mut message = vec![0; 240];
    message[..8].copy_from_slice(&[1, 1, 6, 0, 0xde, 0xad, 0xbe, 0xef]);
    message[28..34].copy_from_slice(&GUEST.octets());
    message[236..].copy_from_slice(&[99, 130, 83, 99]);
    message.extend_from_slice(options);
    message.push(255);
    message
}

/// The packet, from its IP header on, in which a guest sends `payload` to port 67.
pub(super) fn udp4(payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![0; udp::FRAME_PAYLOAD_V4];
    frame.extend_from_slice(payload);
    let envelope = udp::Envelope {
        ethernet: ethernet::Addresses { source: GUEST, destination: MacAddr::BROADCAST },
        source: (Ipv4Addr::UNSPECIFIED, 68),
        destination: (Ipv4Addr::BROADCAST, 67),
    };
    udp::seal_v4(&mut frame, &envelope, payload.len()).unwrap();
    frame.split_off(ethernet::HEADER_LEN)
}

/// The packet, from its IPv6 header on, in which a guest sends `payload` from `source` to port 547 of all servers.
pub(super) fn udp6(source: &str, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![0; udp::FRAME_PAYLOAD_V6];
    frame.extend_from_slice(payload);
    let envelope = udp::Envelope {
        ethernet: ethernet::Addresses { source: GUEST, destination: MacAddr::ALL_NODES },
        source: (source.parse().unwrap(), 546),
        destination: (Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 1, 2), 547),
    };
    udp::seal_v6(&mut frame, &envelope, payload.len()).unwrap();
    frame.split_off(ethernet::HEADER_LEN)
}

/// The packet, from its IPv6 header on, in which a guest sends the ICMPv6 message `message`.
pub(super) fn icmpv6(source: &str, destination: &str, message: &[u8]) -> Vec<u8> {
    let mut frame = vec![0; ipv6::FRAME_PAYLOAD + message.len()];
    let ethernet = ethernet::Addresses { source: GUEST, destination: MacAddr::ALL_NODES };
    let (source, destination) = (source.parse().unwrap(), destination.parse().unwrap());
    ipv6::put_icmpv6(&mut frame, ethernet, source, destination, message).unwrap();
    frame.split_off(ethernet::HEADER_LEN)
}
