//! Every row of the table of messages and states, read back by an independent decoder.

mod boot;
mod options;

use dhcproto::v4::{self, DhcpOption, OptionCode};
use dhcproto::{Decodable, Decoder};

use super::*;
use crate::engine::testing::{ADDRESS, GUEST, ROUTER, dhcpv4 as message, dual_stack, node};
use crate::wire::ethernet::Frame;
use crate::wire::{Checksums, ipv4, udp::Udp};

const DISCOVER: &[u8] = &[53, 1, 1];
const SERVER: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);

/// A reply, read back.
struct Sent {
    reason: Reason,
    omitted: usize,
    mac: MacAddr,
    source: (Ipv4Addr, u16),
    destination: (Ipv4Addr, u16),
    bytes: Vec<u8>,
    message: v4::Message,
}

impl Sent {
    /// The codes of the options field, in their order.
    fn codes(&self) -> Vec<u8> {
        let mut rest = &self.bytes[240..];
        let mut codes = Vec::new();
        while let [code, length, tail @ ..] = rest
            && *code != 255
        {
            codes.push(*code);
            rest = &tail[usize::from(*length)..];
        }
        codes
    }

    fn option(&self, code: u8) -> Option<&DhcpOption> {
        self.message.opts().get(OptionCode::from(code))
    }
}

struct Lab {
    binding: Binding,
    config: Config,
    context: Context,
}

impl Lab {
    fn new() -> Self {
        let context =
            Context { is_claimed: false, source: Ipv4Addr::UNSPECIFIED, source_mac: GUEST, own_mac: ROUTER, mtu: 1500 };
        Self { binding: dual_stack(), config: node(), context }
    }

    fn answers(&self) -> Answers {
        Answers::new(&self.binding, &self.config).unwrap().unwrap()
    }

    fn send(&self, bytes: &[u8]) -> Result<Sent, Reason> {
        let request = Request::parse(bytes).unwrap();
        let mut frame = [0xee; crate::engine::MAX_FRAME];
        let answer = self.answers().reply(&request, &self.context, &mut OptionList::default(), &mut frame)?;
        let frame = Frame::parse(&frame[..answer.len]).unwrap();
        let datagram = ipv4::Datagram::parse(frame.payload).unwrap();
        let udp = Udp::parse_v4(&datagram, Checksums::Verify).unwrap();
        assert_eq!(frame.addresses.source, ROUTER);
        Ok(Sent {
            reason: answer.reason,
            omitted: answer.omitted,
            mac: frame.addresses.destination,
            source: (datagram.source, udp.source_port),
            destination: (datagram.destination, udp.destination_port),
            bytes: udp.payload.to_vec(),
            message: v4::Message::decode(&mut Decoder::new(udp.payload)).unwrap(),
        })
    }

    fn ask(&self, options: &[u8]) -> Result<Sent, Reason> {
        self.send(&message(options))
    }
}

/// A message with these options whose field at `at` holds `octets`.
fn with(options: &[u8], at: usize, octets: &[u8]) -> Vec<u8> {
    let mut bytes = message(options);
    bytes[at..at + octets.len()].copy_from_slice(octets);
    bytes
}

const FLAGS: usize = 10;
const CIADDR: usize = 12;
const GIADDR: usize = 24;

#[test]
fn discover_gets_an_offer() {
    let sent = Lab::new().ask(DISCOVER).unwrap();
    assert_eq!(sent.reason, Reason::Offered);
    assert_eq!(sent.message.opts().msg_type(), Some(v4::MessageType::Offer));
    assert_eq!(sent.message.yiaddr(), ADDRESS);
    assert_eq!(sent.message.xid(), 0xdead_beef);
    assert_eq!((sent.source, sent.destination, sent.mac), ((SERVER, 67), (ADDRESS, 68), GUEST));
    assert_eq!(sent.codes(), [53, 54, 51, 58, 59, 1, 3, 6, 12, 15, 28, 121, 249]);
    assert_eq!(sent.option(51), Some(&DhcpOption::AddressLeaseTime(604_800)));
    assert_eq!(sent.option(58), Some(&DhcpOption::Renewal(3600)));
    assert_eq!(sent.option(59), Some(&DhcpOption::Rebinding(529_200)));
    assert!(sent.bytes.len() >= 300);
}

#[test]
fn request_is_answered_by_the_state_it_shows() {
    const US: &[u8] = &[53, 1, 3, 54, 4, 192, 0, 2, 1];
    const OTHER: &[u8] = &[53, 1, 3, 54, 4, 192, 0, 2, 2, 50, 4, 192, 0, 2, 10];
    const RIGHT: &[u8] = &[50, 4, 192, 0, 2, 10];
    const WRONG: &[u8] = &[50, 4, 192, 0, 2, 11];
    const REQUEST: &[u8] = &[53, 1, 3];
    const MINE: [u8; 4] = [192, 0, 2, 10];
    const NOT_MINE: [u8; 4] = [192, 0, 2, 11];
    const NONE: [u8; 4] = [0; 4];
    type Row<'a> = (&'a str, &'a [&'a [u8]], [u8; 4], Reason);
    let table: &[Row<'_>] = &[
        ("selecting, right", &[US, RIGHT], NONE, Reason::Acked),
        ("selecting, wrong", &[US, WRONG], NONE, Reason::Naked),
        ("selecting by ciaddr, right", &[US], MINE, Reason::Acked),
        ("selecting by ciaddr, wrong", &[US], NOT_MINE, Reason::Naked),
        ("selecting nothing", &[US], NONE, Reason::Naked),
        ("option 50 before ciaddr", &[US, RIGHT], NOT_MINE, Reason::Acked),
        ("another server", &[OTHER], NONE, Reason::OtherServer),
        ("init-reboot, right", &[REQUEST, RIGHT], NONE, Reason::Acked),
        ("init-reboot, wrong", &[REQUEST, WRONG], NONE, Reason::Naked),
        ("renewing, right", &[REQUEST], MINE, Reason::Acked),
        ("renewing, wrong", &[REQUEST], NOT_MINE, Reason::Naked),
        ("option 50 and ciaddr", &[REQUEST, RIGHT], MINE, Reason::StatelessRequest),
        ("neither", &[REQUEST], NONE, Reason::StatelessRequest),
    ];
    for (name, options, ciaddr, expected) in table {
        let sent = Lab::new().send(&with(&options.concat(), CIADDR, ciaddr));
        let reason = sent.map_or_else(|reason| reason, |sent| sent.reason);
        assert_eq!(reason, *expected, "{name}");
    }
}

#[test]
fn ack_carries_ciaddr_and_goes_there() {
    let sent = Lab::new().send(&with(&[53, 1, 3], CIADDR, &ADDRESS.octets())).unwrap();
    assert_eq!((sent.message.ciaddr(), sent.message.yiaddr()), (ADDRESS, ADDRESS));
    assert_eq!((sent.destination, sent.mac), ((ADDRESS, 68), GUEST));
}

#[test]
fn nak_is_broadcast_and_says_little() {
    let options = [53, 1, 3, 50, 4, 192, 0, 2, 11, 61, 3, 1, 2, 3, 55, 2, 1, 3, 82, 2, 1, 0];
    let sent = Lab::new().ask(&options).unwrap();
    assert_eq!((sent.destination, sent.mac), ((Ipv4Addr::BROADCAST, 68), MacAddr::BROADCAST));
    assert_eq!(sent.codes(), [53, 54, 56, 61, 82]);
    assert_eq!((sent.message.ciaddr(), sent.message.yiaddr()), (Ipv4Addr::UNSPECIFIED, Ipv4Addr::UNSPECIFIED));
    assert!(!sent.message.flags().broadcast());
}

#[test]
fn nak_to_a_relay_has_the_broadcast_bit() {
    let sent = Lab::new().send(&with(&[53, 1, 3, 50, 4, 192, 0, 2, 11], GIADDR, &[192, 0, 2, 99])).unwrap();
    assert_eq!((sent.destination, sent.mac), ((Ipv4Addr::new(192, 0, 2, 99), 67), GUEST));
    assert!(sent.message.flags().broadcast());
}

#[test]
fn a_claimed_sender_is_never_refused_by_name() {
    let mut lab = Lab::new();
    lab.context.is_claimed = true;
    assert_eq!(lab.ask(&[53, 1, 3, 50, 4, 192, 0, 2, 11]).err(), Some(Reason::ClaimedWrongAddress));
    assert_eq!(lab.ask(&[53, 1, 3, 50, 4, 192, 0, 2, 10]).unwrap().reason, Reason::Acked);
}

#[test]
fn addresses_follow_flags_and_relays() {
    let sent = Lab::new().send(&with(DISCOVER, FLAGS, &[0x80, 0])).unwrap();
    assert_eq!((sent.destination, sent.mac), ((Ipv4Addr::BROADCAST, 68), MacAddr::BROADCAST));
    assert!(sent.message.flags().broadcast());
    let sent = Lab::new().send(&with(DISCOVER, GIADDR, &[10, 0, 0, 1])).unwrap();
    assert_eq!(sent.destination, (Ipv4Addr::new(10, 0, 0, 1), 67));
    assert_eq!(sent.message.giaddr(), Ipv4Addr::new(10, 0, 0, 1));
}

#[test]
fn inform_gets_everything_but_an_address_and_times() {
    let mut lab = Lab::new();
    let inform = &[53, 1, 8];
    let sent = lab.send(&with(inform, CIADDR, &[192, 0, 2, 77])).unwrap();
    assert_eq!(sent.reason, Reason::Informed);
    assert_eq!((sent.destination, sent.mac), ((Ipv4Addr::new(192, 0, 2, 77), 68), GUEST));
    assert_eq!(sent.message.yiaddr(), Ipv4Addr::UNSPECIFIED);
    assert_eq!(sent.codes(), [53, 54, 1, 3, 6, 12, 15, 28, 121, 249]);
    assert_eq!(lab.ask(inform).unwrap().destination.0, Ipv4Addr::BROADCAST);
    lab.context.source = Ipv4Addr::new(192, 0, 2, 78);
    assert_eq!(lab.ask(inform).unwrap().destination.0, Ipv4Addr::new(192, 0, 2, 78));
}

#[test]
fn bootp_gets_no_option_of_dhcp() {
    let sent = Lab::new().ask(&[55, 1, 3, 61, 1, 0]).unwrap();
    assert_eq!(sent.reason, Reason::BootpReplied);
    assert_eq!(sent.message.yiaddr(), ADDRESS);
    assert_eq!(sent.codes(), [1, 3]);
}

#[test]
fn what_gets_no_answer_has_a_reason() {
    let table = [
        (4, Reason::Declined),
        (7, Reason::Released),
        (2, Reason::ServerMessage),
        (5, Reason::ServerMessage),
        (6, Reason::ServerMessage),
        (0, Reason::UnexpectedMessage),
        (9, Reason::UnexpectedMessage),
        (255, Reason::UnexpectedMessage),
    ];
    for (number, reason) in table {
        assert_eq!(Lab::new().ask(&[53, 1, number]).err(), Some(reason), "{number}");
    }
    assert_eq!(Lab::new().send(&with(DISCOVER, 0, &[2])).err(), Some(Reason::ServerMessage));
}

#[test]
fn rapid_commit_needs_both_sides() {
    let mut lab = Lab::new();
    let discover = &[53, 1, 1, 80, 0];
    assert_eq!(lab.ask(discover).unwrap().reason, Reason::Offered);
    lab.config.dhcp.as_mut().unwrap().rapid_commit = true;
    assert_eq!(lab.ask(DISCOVER).unwrap().reason, Reason::Offered);
    let sent = lab.ask(discover).unwrap();
    assert_eq!(sent.reason, Reason::RapidCommitted);
    assert_eq!(sent.message.opts().msg_type(), Some(v4::MessageType::Ack));
    assert!(sent.codes().contains(&80));
}

#[test]
fn the_request_list_decides_what_and_in_which_order() {
    let sent = Lab::new().ask(&[53, 1, 1, 55, 6, 15, 3, 3, 1, 200, 12]).unwrap();
    assert_eq!(sent.codes(), [53, 54, 51, 58, 59, 1, 15, 3, 12]);
    // RFC 3396: a list in two parts is one list.
    let sent = Lab::new().ask(&[53, 1, 1, 55, 1, 28, 55, 1, 6]).unwrap();
    assert_eq!(sent.codes(), [53, 54, 51, 58, 59, 1, 28, 6]);
    // A list that asks for nothing is a list.
    let sent = Lab::new().ask(&[53, 1, 1, 55, 0]).unwrap();
    assert_eq!(sent.codes(), [53, 54, 51, 58, 59, 1]);
}

#[test]
fn echoes_client_id_and_relay_information_and_answers_fqdn() {
    let options = [53, 1, 1, 82, 3, 1, 1, 7, 61, 2, 0, 9, 81, 4, 5, 0, 0, 0, 55, 0];
    let sent = Lab::new().ask(&options).unwrap();
    assert_eq!(sent.codes(), [53, 54, 51, 58, 59, 1, 81, 61, 82]);
    let tail = &sent.bytes[240..];
    let fqdn = b"\x51\x14\x0e\xff\xff\x03vm1\x07example\x03com\0\x3d\x02\0\x09\x52\x03\x01\x01\x07\xff";
    assert!(tail.windows(fqdn.len()).any(|window| window == fqdn), "{tail:02x?}");
    let ascii = Lab::new().ask(&[53, 1, 1, 81, 3, 0, 0, 0, 55, 0]).unwrap();
    let fqdn = b"\x51\x12\x08\xff\xffvm1.example.com";
    assert!(ascii.bytes.windows(fqdn.len()).any(|window| window == fqdn));
}

fn routes(lab: &Lab) -> Vec<u8> {
    let menu = lab.answers().menu;
    let of = |code| menu.value(code, None).map(<[u8]>::to_vec);
    assert_eq!(of(121), of(249));
    of(121).unwrap_or_default()
}

#[test]
fn option_121_repeats_the_default_route() {
    let mut lab = Lab::new();
    assert_eq!(routes(&lab), [0, 192, 0, 2, 1]);
    let route = |destination: &str| crate::setting::Route4 {
        destination: destination.parse().unwrap(),
        router: Ipv4Addr::new(192, 0, 2, 254),
    };
    lab.binding.settings.routes = Some(vec![route("198.51.100.0/24"), route("10.1.128.0/17"), route("203.0.113.7/32")]);
    let expected = [
        &[0, 192, 0, 2, 1][..],
        &[24, 198, 51, 100, 192, 0, 2, 254],
        &[17, 10, 1, 128, 192, 0, 2, 254],
        &[32, 203, 0, 113, 7, 192, 0, 2, 254],
    ];
    assert_eq!(routes(&lab), expected.concat());
    lab.binding.settings.private = true;
    assert_eq!(routes(&lab), expected[1..].concat());
    assert_eq!(lab.answers().menu.find(3), None);
}

#[test]
fn a_gateway_outside_the_subnet_gets_a_route_of_its_own() {
    let mut lab = Lab::new();
    for (subnet, mask) in [("192.0.2.10/32", [255; 4]), ("192.0.2.8/29", [255, 255, 255, 248])] {
        lab.binding.ipv4 = Some(Ipv4Binding {
            address: ADDRESS,
            subnet: subnet.parse().unwrap(),
            gateway: Some(Ipv4Addr::new(169, 254, 1, 1)),
        });
        assert_eq!(routes(&lab), [32, 169, 254, 1, 1, 0, 0, 0, 0, 0, 169, 254, 1, 1]);
        let sent = lab.ask(DISCOVER).unwrap();
        assert_eq!(sent.option(1), Some(&DhcpOption::SubnetMask(mask.into())));
        assert_eq!(sent.option(3), Some(&DhcpOption::Router(vec![Ipv4Addr::new(169, 254, 1, 1)])));
    }
}

#[test]
fn the_server_on_the_link_is_the_gateway_or_the_first_other_address() {
    let mut lab = Lab::new();
    let dhcp = lab.config.dhcp.as_mut().unwrap();
    (dhcp.server_on_link, dhcp.server_ip) = (true, None);
    let mut server_id = |address: [u8; 4], subnet: &str, gateway: Option<[u8; 4]>| {
        let (address, gateway) = (address.into(), gateway.map(Ipv4Addr::from));
        lab.binding.ipv4 = Some(Ipv4Binding { address, subnet: subnet.parse().unwrap(), gateway });
        Answers::new(&lab.binding, &lab.config).map(|answers| answers.unwrap().server_id.octets())
    };
    assert_eq!(server_id([192, 0, 2, 10], "192.0.2.0/24", Some([192, 0, 2, 254])), Ok([192, 0, 2, 254]));
    assert_eq!(server_id([192, 0, 2, 10], "192.0.2.0/24", None), Ok([192, 0, 2, 1]));
    assert_eq!(server_id([192, 0, 2, 1], "192.0.2.0/24", None), Ok([192, 0, 2, 2]));
    assert_eq!(server_id([192, 0, 2, 0], "192.0.2.0/31", None), Ok([192, 0, 2, 1]));
    assert_eq!(server_id([192, 0, 2, 10], "192.0.2.10/32", None).unwrap_err().key.as_deref(), Some("GATEWAY"));
}

#[test]
fn times_are_bounded_by_the_lease() {
    let mut lab = Lab::new();
    lab.binding.settings.lease_lifetime = Some(60);
    let sent = lab.ask(DISCOVER).unwrap();
    assert_eq!(sent.option(51), Some(&DhcpOption::AddressLeaseTime(60)));
    assert_eq!(sent.option(58), Some(&DhcpOption::Renewal(30)));
    assert_eq!(sent.option(59), Some(&DhcpOption::Rebinding(52)));
}

#[test]
fn the_binding_overrides_the_node() {
    let mut lab = Lab::new();
    lab.binding.settings.nameservers = Some(vec![Ipv4Addr::new(203, 0, 113, 5)]);
    lab.binding.settings.domain = Some("guest.example".parse().unwrap());
    lab.binding.settings.domain_search = Some(vec!["a.example".parse().unwrap(), "b.example".parse().unwrap()]);
    lab.binding.settings.mtu = Some(9000);
    let sent = lab.ask(DISCOVER).unwrap();
    assert_eq!(sent.option(6), Some(&DhcpOption::DomainNameServer(vec![Ipv4Addr::new(203, 0, 113, 5)])));
    assert_eq!(sent.option(15), Some(&DhcpOption::DomainName("guest.example".into())));
    assert_eq!(sent.option(26), Some(&DhcpOption::InterfaceMtu(9000)));
    assert!(sent.bytes.windows(22).any(|window| window == b"\x77\x16\x01a\x07example\0\x01b\x07exampl"));
}

/// The size of the reply with its IP and UDP headers, for a lot of options.
fn size(lab: &Lab, max_size: Option<u16>) -> (usize, usize, Vec<u8>) {
    let mut options = DISCOVER.to_vec();
    if let Some(max_size) = max_size {
        options.extend_from_slice(&[57, 2]);
        options.extend_from_slice(&max_size.to_be_bytes());
    }
    let sent = lab.ask(&options).unwrap();
    (sent.bytes.len() + IP_UDP_LEN, sent.omitted, sent.codes())
}

#[test]
fn the_size_is_what_the_client_and_the_tap_take() {
    let mut lab = Lab::new();
    let name = |number: usize| format!("{}{number}.example", "x".repeat(50)).parse().unwrap();
    lab.binding.settings.domain_search = Some((0..10).map(name).collect());
    for max_size in [None, Some(0), Some(300), Some(576)] {
        let (size, omitted, codes) = size(&lab, max_size);
        assert!(size <= 576 && omitted > 0, "{max_size:?}: {size}");
        assert!(!codes.contains(&119) && codes.contains(&3), "{codes:?}");
    }
    for max_size in [Some(1500), Some(9000), Some(65535)] {
        let (size, omitted, codes) = size(&lab, max_size);
        assert!((577..=1500).contains(&size) && omitted == 0, "{max_size:?}: {size}");
        assert!(codes.contains(&119));
    }
    lab.context.mtu = 600;
    assert!(size(&lab, Some(1500)).0 <= 600);
}

#[test]
fn no_reply_rather_than_one_without_routes() {
    let mut lab = Lab::new();
    let route = |number| crate::setting::Route4 {
        destination: ipnet::Ipv4Net::new(Ipv4Addr::new(10, 0, number, 0), 24).unwrap(),
        router: SERVER,
    };
    lab.binding.settings.routes = Some((0..100).map(route).collect());
    assert_eq!(lab.ask(DISCOVER).err(), Some(Reason::NoFit));
    assert_eq!(lab.ask(&[53, 1, 1, 55, 1, 3]).unwrap().omitted, 0);
    lab.binding.settings.routes = Some((0..=255).map(route).collect());
    let error = Answers::new(&lab.binding, &lab.config).unwrap_err();
    assert_eq!(error.key.as_deref(), Some("ROUTES"), "{error}");
    assert!(error.to_string().starts_with("/var/lib/nfdhcpd/tap0: ROUTES: "), "{error}");
}

#[test]
fn nothing_is_said_to_a_guest_without_ipv4_or_a_node_without_dhcp() {
    let mut lab = Lab::new();
    lab.config.dhcp = None;
    assert_eq!(Answers::new(&lab.binding, &lab.config), Ok(None));
    let mut lab = Lab::new();
    lab.binding.ipv4 = None;
    assert_eq!(Answers::new(&lab.binding, &lab.config), Ok(None));
}
