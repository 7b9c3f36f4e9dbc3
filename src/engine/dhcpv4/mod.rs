//! DHCPv4 and BOOTP: which answer a message gets, and what is in it (RFC 2131, RFC 951).

mod asked;
mod boot;
mod menu;
mod options;

#[cfg(test)]
mod tests;

use std::net::Ipv4Addr;

use asked::Asked;
use boot::Boot;
use menu::Menu;
use options::Prepared;

use super::fit::key_fault;
use super::outcome::{Answer, Reason};
use super::{lease, name};
use crate::binding::{Binding, BindingError, Ipv4Binding};
use crate::config::{Config, Dhcp};
use crate::wire::dhcpv4::{
    BOOTREQUEST, CLIENT_PORT, Fqdn, Header, IP_UDP_LEN, MIN_LEN, MIN_MAX_SIZE, MessageType, Names, OPTION_HEADER,
    OptionList, Request, SERVER_PORT, Space, code, write,
};
use crate::wire::udp::{self, Envelope};
use crate::wire::{DomainName, MacAddr, ethernet};

/// The largest reply with its IP and UDP headers, in bytes: what every Ethernet carries.
const MAX_REPLY: usize = 1500;

/// What an option that says a time takes, in bytes.
const TIME_LEN: usize = OPTION_HEADER + 4;

/// What option 56 of a NAK says.
const NAK_MESSAGE: &[u8] = b"this address is not the guest's";

/// What the guest of one binding is told, made when the binding or the configuration changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answers {
    address: Ipv4Addr,
    /// Option 54, and the source of replies.
    server_id: Ipv4Addr,
    allows_rapid_commit: bool,
    mask: [u8; 4],
    /// Options 51, 58 and 59, encoded.
    lease: [u8; 3 * TIME_LEN],
    boot: Boot,
    menu: Menu,
    name: DomainName,
    /// The name in label form: with the root label if it is a whole one (RFC 4702 §2.3.1).
    encoded_name: Box<[u8]>,
}

/// What is known of a message besides its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Context {
    /// Whether the sender is only claimed: the kernel named a bridge, not a tap.
    pub is_claimed: bool,
    /// The source address of the packet.
    pub source: Ipv4Addr,
    /// The source address of the frame.
    pub source_mac: MacAddr,
    /// The MAC that replies come from.
    pub own_mac: MacAddr,
    /// The MTU of the tap, in bytes.
    pub mtu: u32,
}

/// The kinds of replies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Offer,
    Ack,
    RapidCommit,
    Nak,
    Inform,
    Bootp,
}

impl Answers {
    /// What the guest of `binding` is told; None if it has no IPv4 address or DHCPv4 is not served.
    pub fn new(binding: &Binding, config: &Config) -> Result<Option<Self>, BindingError> {
        let (Some(ipv4), Some(dhcp)) = (&binding.ipv4, &config.dhcp) else {
            return Ok(None);
        };
        let error = |key: &str, reason: String| key_fault(binding, config, key, reason);
        let server_id = server_id(ipv4, dhcp).ok_or_else(|| {
            let reason = "server_on_link needs a gateway, or an address in SUBNET besides the guest's own";
            error("GATEWAY", reason.to_owned())
        })?;
        let boot = Boot::new(&binding.settings, dhcp);
        let name = name::full(binding, config);
        let prepared = options::prepare(binding, ipv4, dhcp, config, &boot);
        let answers = Self {
            address: ipv4.address,
            server_id,
            allows_rapid_commit: dhcp.rapid_commit,
            mask: ipv4.subnet.netmask().octets(),
            lease: encode_lease(lease::Times::new(binding, &config.lease)),
            menu: Menu::new(&prepared),
            boot,
            encoded_name: name::encoded(&name),
            name,
        };
        answers.check_size(&prepared).map_err(|key| {
            let reason = format!("the reply would not fit {MAX_REPLY} bytes; this takes most of it");
            error(key, reason)
        })?;
        Ok(Some(answers))
    }

    /// Whether everything that is prepared fits the largest reply, to whichever client; if not, the key that takes most.
    fn check_size<'p>(&self, prepared: &'p [Prepared]) -> Result<(), &'p str> {
        let mut list = OptionList::default();
        self.push_fixed(&mut list, Kind::Ack);
        // What overloads `sname` and `file` says their names in options, which are among these.
        let longest = self.boot.longest();
        // Whoever takes option 121 has no use for its double.
        let counted = prepared.iter().filter(|option| option.code != code::CLASSLESS_ROUTE_MICROSOFT);
        let counted = counted.filter_map(|option| Some((option, option.value.bytes(longest)?)));
        counted.clone().for_each(|(option, value)| list.push(option.code, value));
        match counted.max_by_key(|(_, value)| value.len()) {
            Some((largest, _)) if !list.fits(space(MAX_REPLY, true)) => Err(&largest.key),
            _ => Ok(()),
        }
    }

    /// Whether the routes alone cost an answer: that to a client that asks for them, and takes no more than it must (RFC
    /// 2132 §9.10).
    pub fn do_routes_crowd(&self) -> bool {
        let mut list = OptionList::default();
        self.push_fixed(&mut list, Kind::Ack);
        // RFC 2132 §9.14: most clients give type and MAC, to be echoed.
        list.push_required(code::CLIENT_ID, &[0; 7]);
        let required = self.menu.entries().iter().filter(|entry| entry.is_required);
        required.for_each(|entry| self.menu.push(&mut list, entry, true, None));
        self.menu.find(code::CLASSLESS_ROUTE).is_some() && !list.fits(space(MIN_MAX_SIZE.into(), true))
    }

    /// Decides on `request`; if it is answered, writes the frame and gives its length.
    pub fn reply(
        &self,
        request: &Request<'_>,
        context: &Context,
        list: &mut OptionList,
        frame: &mut [u8],
    ) -> Result<Answer, Reason> {
        let kind = self.decide(request, context.is_claimed)?;
        // RFC 2131 table 3: a NAK says nothing of all that.
        let asked = (kind != Kind::Nak).then(|| Asked::new(&self.menu, &self.boot, &request.options, kind));
        list.clear();
        self.push_options(list, kind, request, asked.as_ref());
        let header = self.header(kind, request, asked.map(|asked| asked.names()));
        let space = space(max_size(kind, request, context.mtu), kind != Kind::Bootp);
        let payload = frame.get_mut(udp::FRAME_PAYLOAD_V4..).ok_or(Reason::NoFit)?;
        let written = write(payload, request, header, list, space).ok_or(Reason::NoFit)?;
        let envelope = self.envelope(kind, request, context);
        let len = udp::seal_v4(frame, &envelope, written.len).ok_or(Reason::NoFit)?;
        Ok(Answer { reason: kind.reason(), len, omitted: written.omitted, delegation: None })
    }

    /// Which reply `request` gets (RFC 2131 §4.3).
    fn decide(&self, request: &Request<'_>, is_claimed: bool) -> Result<Kind, Reason> {
        if request.op != BOOTREQUEST {
            return Err(Reason::ServerMessage);
        }
        match request.message_type {
            None => Ok(Kind::Bootp),
            Some(MessageType::Discover) if request.rapid_commit && self.allows_rapid_commit => Ok(Kind::RapidCommit),
            Some(MessageType::Discover) => Ok(Kind::Offer),
            Some(MessageType::Request) => match self.decide_request(request)? {
                // Whoever is only claimed could take a lease from a neighbour by asking in its name.
                Kind::Nak if is_claimed => Err(Reason::ClaimedWrongAddress),
                kind => Ok(kind),
            },
            Some(MessageType::Inform) => Ok(Kind::Inform),
            Some(MessageType::Release) => Err(Reason::Released),
            Some(MessageType::Decline) => Err(Reason::Declined),
            Some(MessageType::Offer | MessageType::Ack | MessageType::Nak) => Err(Reason::ServerMessage),
            Some(MessageType::Other(_)) => Err(Reason::UnexpectedMessage),
        }
    }

    /// Tells the client's state by what its REQUEST carries (RFC 2131 §4.3.2 and table 4).
    fn decide_request(&self, request: &Request<'_>) -> Result<Kind, Reason> {
        let ciaddr = Some(request.ciaddr).filter(|address| !address.is_unspecified());
        let address = match (request.server_id, request.requested_address, ciaddr) {
            (Some(server), _, _) if server != self.server_id => return Err(Reason::OtherServer),
            // SELECTING
            (Some(_), Some(requested), _) => Some(requested),
            (Some(_), None, ciaddr) => ciaddr,
            // INIT-REBOOT
            (None, Some(requested), None) => Some(requested),
            // RENEWING or REBINDING
            (None, None, Some(ciaddr)) => Some(ciaddr),
            (None, Some(_), Some(_)) | (None, None, None) => return Err(Reason::StatelessRequest),
        };
        Ok(if address == Some(self.address) { Kind::Ack } else { Kind::Nak })
    }

    /// The fixed fields (RFC 2131 table 3). `names` are what a NAK does not say.
    fn header<'n>(&self, kind: Kind, request: &Request<'_>, names: Option<Names<'n>>) -> Header<'n> {
        Header {
            // Zero in OFFER and NAK, the client's in ACK.
            ciaddr: if matches!(kind, Kind::Offer | Kind::Nak) { Ipv4Addr::UNSPECIFIED } else { request.ciaddr },
            yiaddr: if matches!(kind, Kind::Nak | Kind::Inform) { Ipv4Addr::UNSPECIFIED } else { self.address },
            siaddr: if kind == Kind::Nak { Ipv4Addr::UNSPECIFIED } else { self.boot.server },
            names: names.unwrap_or_default(),
            // RFC 2131 §4.1: a relay must broadcast a NAK to the client.
            force_broadcast: kind == Kind::Nak && !request.giaddr.is_unspecified(),
        }
    }

    /// All options of a reply: fixed ones, what was asked for, echoes.
    fn push_options(&self, list: &mut OptionList, kind: Kind, request: &Request<'_>, asked: Option<&Asked<'_>>) {
        self.push_fixed(list, kind);
        if let Some(asked) = asked {
            asked.push(list);
            if let Some(fqdn) = request.fqdn.filter(|_| kind != Kind::Bootp) {
                self.push_fqdn(list, fqdn);
            }
        }
        if kind != Kind::Bootp {
            // RFC 6842 §3.
            list.echo(code::CLIENT_ID, request.options.parts(code::CLIENT_ID));
        }
        // RFC 3046 §2.2.
        list.echo(code::RELAY_AGENT, request.options.parts(code::RELAY_AGENT));
    }

    /// What every reply of this kind carries (RFC 2131 table 3).
    fn push_fixed(&self, list: &mut OptionList, kind: Kind) {
        if let Some(message_type) = kind.message_type() {
            list.push_required(code::MESSAGE_TYPE, &[message_type.number()]);
            list.push_required(code::SERVER_ID, &self.server_id.octets());
        }
        match kind {
            Kind::Nak => return list.push_required(code::MESSAGE, NAK_MESSAGE),
            Kind::Offer | Kind::Ack | Kind::RapidCommit => {
                list.push_all_encoded::<TIME_LEN>(&self.lease);
            }
            Kind::Inform | Kind::Bootp => {}
        }
        list.push_required(code::SUBNET_MASK, &self.mask);
        if kind == Kind::RapidCommit {
            list.push_required(code::RAPID_COMMIT, &[]);
        }
    }

    /// Appends the answer to option 81 (RFC 4702 §4): the guest's name, and that nobody updates the DNS.
    fn push_fqdn(&self, list: &mut OptionList, asked: Fqdn) {
        const OVERRIDDEN: u8 = 2;
        const ENCODED: u8 = 4;
        const NO_UPDATE: u8 = 8;
        // RFC 4702 §2.2: the obsolete response codes are 255.
        const RCODE: u8 = 255;
        let overridden = if asked.server_updates { OVERRIDDEN } else { 0 };
        let (encoded, name) =
            if asked.encoded { (ENCODED, &*self.encoded_name) } else { (0, self.name.as_str().as_bytes()) };
        let head = [NO_UPDATE | overridden | encoded, RCODE, RCODE];
        list.push_joined(code::FQDN, [&head, name]);
    }

    /// From whom to whom.
    fn envelope(&self, kind: Kind, request: &Request<'_>, context: &Context) -> Envelope<Ipv4Addr> {
        let to = Destination::new(kind, request, context, self.address);
        Envelope {
            ethernet: ethernet::Addresses { source: context.own_mac, destination: to.mac },
            source: (self.server_id, SERVER_PORT),
            destination: (to.address, to.port),
        }
    }
}

/// Where a reply goes.
struct Destination {
    address: Ipv4Addr,
    port: u16,
    mac: MacAddr,
}

impl Destination {
    /// RFC 2131 §4.1, and §4.3.5 for INFORM.
    fn new(kind: Kind, request: &Request<'_>, context: &Context, yiaddr: Ipv4Addr) -> Self {
        if kind == Kind::Inform && !request.ciaddr.is_unspecified() {
            Self::client(request.ciaddr, request.chaddr)
        } else if !request.giaddr.is_unspecified() {
            Self { address: request.giaddr, port: SERVER_PORT, mac: context.source_mac }
        } else if kind == Kind::Nak {
            Self::EVERYBODY
        } else if !request.ciaddr.is_unspecified() {
            Self::client(request.ciaddr, request.chaddr)
        } else if kind == Kind::Inform && !context.source.is_unspecified() {
            // The engine lets no packet in whose source is not unicast or 0.0.0.0.
            Self::client(context.source, request.chaddr)
        } else if kind == Kind::Inform || request.broadcast {
            Self::EVERYBODY
        } else {
            Self::client(yiaddr, request.chaddr)
        }
    }

    const EVERYBODY: Self = Self::client(Ipv4Addr::BROADCAST, MacAddr::BROADCAST);

    const fn client(address: Ipv4Addr, mac: MacAddr) -> Self {
        Self { address, port: CLIENT_PORT, mac }
    }
}

impl Kind {
    fn reason(self) -> Reason {
        match self {
            Self::Offer => Reason::Offered,
            Self::Ack => Reason::Acked,
            Self::RapidCommit => Reason::RapidCommitted,
            Self::Nak => Reason::Naked,
            Self::Inform => Reason::Informed,
            Self::Bootp => Reason::BootpReplied,
        }
    }

    fn message_type(self) -> Option<MessageType> {
        match self {
            Self::Offer => Some(MessageType::Offer),
            Self::Ack | Self::RapidCommit | Self::Inform => Some(MessageType::Ack),
            Self::Nak => Some(MessageType::Nak),
            Self::Bootp => None,
        }
    }
}

/// RFC 2132 §9.2, §9.11, §9.12.
fn encode_lease(times: lease::Times) -> [u8; 3 * TIME_LEN] {
    let times = [(code::LEASE_TIME, times.lifetime), (code::T1, times.t1), (code::T2, times.t2)];
    let mut encoded = [0; 3 * TIME_LEN];
    for (option, (code, seconds)) in encoded.as_chunks_mut::<TIME_LEN>().0.iter_mut().zip(times) {
        let [a, b, c, d] = seconds.to_be_bytes();
        *option = [code, 4, a, b, c, d];
    }
    encoded
}

/// `server_ip`, or the gateway that the guest has on its link.
fn server_id(ipv4: &Ipv4Binding, config: &Dhcp) -> Option<Ipv4Addr> {
    if !config.server_on_link {
        return config.server_ip;
    }
    let first_other = || ipv4.subnet.hosts().find(|address| *address != ipv4.address);
    ipv4.gateway.or_else(first_other).or(config.server_ip)
}

/// The largest packet that the client takes and the tap carries, in bytes.
fn max_size(kind: Kind, request: &Request<'_>, mtu: u32) -> usize {
    let taken = match kind {
        // RFC 1534 §2: what a BOOTREPLY holds (RFC 951 §3), and no option of DHCP makes it more.
        Kind::Bootp => IP_UDP_LEN + MIN_LEN,
        // RFC 2132 §9.10
        _ => request.max_size.unwrap_or(MIN_MAX_SIZE).max(MIN_MAX_SIZE).into(),
    };
    taken.min(mtu as usize).min(MAX_REPLY)
}

/// The room in a packet of `max_size` bytes.
fn space(max_size: usize, overload: bool) -> Space {
    Space { max_len: max_size.saturating_sub(IP_UDP_LEN), overload }
}
