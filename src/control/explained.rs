//! What is answered to `explain`: all that decides what the guest of a tap gets, and what it would get now.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::answer::Tap;
use super::hex::Hex;
use crate::binding::InterfaceName;
use crate::config::Config;
use crate::engine::rehearsal::{Explanation, Inquiry, Rehearsal};
use crate::engine::{self, Now};
use crate::rules::Kind;

/// Why the guest of a tap is answered as it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Explained {
    /// The name of the tap.
    pub name: String,
    /// Where its binding file is, or would be.
    pub file: String,
    /// Why no binding is in force, where the directory of bindings is gone: its path, and the reason.
    #[serde(default)]
    pub datapath_gone: Option<String>,
    /// How it stands; None without a binding file.
    pub tap: Option<Tap>,
    /// What of the binding in force will not do what its writer expects.
    pub doubts: Vec<String>,
    /// The tap, if it is there.
    pub link: Option<Link>,
    /// The bridge (or bond) that it is a port of.
    pub master: Option<Link>,
    /// The interface of `INDEV`, if it is there.
    pub indev: Option<Link>,
    /// The outcome of its packets where the kernel names the bridge and not the port; None if they are answered alike.
    pub unclaimed: Option<String>,
    /// Which packets go where.
    pub queues: Vec<Diverted>,
    /// What would be answered, in the order in which a guest asks. Nothing without a binding in force, or without the tap.
    pub rehearsals: Vec<Rehearsed>,
}

/// An interface.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// Its name.
    pub name: String,
    /// Its index.
    pub ifindex: u32,
    /// Its MAC, if it has one.
    pub mac: Option<String>,
    /// Its MTU, in bytes.
    pub mtu: u32,
    /// Whether it is a bridge.
    pub bridge: bool,
    /// Whether it is up, and somebody is at the other end.
    pub up: bool,
}

/// Where packets of a kind are expected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diverted {
    /// `dhcp`, `rs`, `ns` or `dhcpv6`.
    pub kind: String,
    /// The queue; None where the configuration has none.
    pub queue: Option<u16>,
}

/// A question of an honest guest, and what becomes of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rehearsed {
    /// The kind of packets that it is of, as in [`Diverted`].
    pub kind: String,
    /// What is asked: `discover`, `request`, `router_solicitation`, `neighbor_solicitation`, `information_request` or
    /// `solicit`.
    pub inquiry: String,
    /// What it would be counted as.
    pub outcome: String,
    /// How many options would be missing for want of room.
    pub omitted: usize,
    /// The packet that asks it, from its IP header on.
    pub request: Hex,
    /// The frame that answers it, if one does.
    pub reply: Option<Hex>,
}

impl Explained {
    /// What is known of the tap `name` at the time `now`, where this configuration is in force and its directory is there.
    pub fn new(now: Now, name: InterfaceName, explanation: &Explanation, config: &Config) -> Self {
        let Explanation { status, doubts, tap, master, indev, unclaimed, rehearsals } = explanation;
        let name = name.to_string();
        Self {
            file: file(&config.general.datapath, &name),
            name,
            datapath_gone: None,
            tap: status.as_ref().map(|status| Tap::new(now, status, config)),
            doubts: doubts.iter().map(ToString::to_string).collect(),
            link: tap.as_ref().map(Link::from),
            master: master.as_ref().map(Link::from),
            indev: indev.as_ref().map(Link::from),
            unclaimed: unclaimed.map(|reason| reason.name().to_owned()),
            queues: Kind::ALL.map(|kind| Diverted::new(kind, config)).into(),
            rehearsals: rehearsals.iter().map(Rehearsed::from).collect(),
        }
    }
}

fn file(directory: &Path, tap: &str) -> String {
    directory.join(tap).display().to_string()
}

impl Diverted {
    fn new(kind: Kind, config: &Config) -> Self {
        Self { kind: kind.name().to_owned(), queue: kind.queue(config).map(|queue| queue.0) }
    }
}

impl From<&engine::Link> for Link {
    fn from(link: &engine::Link) -> Self {
        Self {
            name: link.name.to_string(),
            ifindex: link.ifindex.value(),
            mac: link.mac.map(|mac| mac.to_string()),
            mtu: link.mtu,
            bridge: link.is_bridge,
            up: link.is_ready,
        }
    }
}

impl From<&Rehearsal> for Rehearsed {
    fn from(rehearsal: &Rehearsal) -> Self {
        let (kind, inquiry) = names(rehearsal.inquiry);
        Self {
            kind: kind.name().to_owned(),
            inquiry: inquiry.to_owned(),
            outcome: rehearsal.outcome.reason.name().to_owned(),
            omitted: rehearsal.outcome.omitted,
            request: Hex(rehearsal.request.clone()),
            reply: rehearsal.reply.clone().map(Hex),
        }
    }
}

fn names(inquiry: Inquiry) -> (Kind, &'static str) {
    match inquiry {
        Inquiry::Discover => (Kind::Dhcp, "discover"),
        Inquiry::Request => (Kind::Dhcp, "request"),
        Inquiry::RouterSolicitation => (Kind::RouterSolicitation, "router_solicitation"),
        Inquiry::NeighborSolicitation => (Kind::NeighborSolicitation, "neighbor_solicitation"),
        Inquiry::InformationRequest => (Kind::Dhcpv6, "information_request"),
        Inquiry::Solicit => (Kind::Dhcpv6, "solicit"),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::answer::Answer;
    use super::super::json::{from_line, to_line};
    use super::*;
    use crate::binding::IfIndex;
    use crate::binding::parse::parse;
    use crate::config;
    use crate::engine::{Engine, Event};

    const NODE: &str = "[general]\ndatapath=/b\n[dhcp]\nserver_ip=192.0.2.1\n[ipv6]\nrs_queue=43\nns_queue=44\n";

    fn explained(file: Option<&str>) -> Explained {
        let config = config::parse(Path::new("n.conf"), NODE.as_bytes()).unwrap().config;
        let mut engine = Engine::new(config.clone(), 0);
        let name: InterfaceName = "tap0".parse().unwrap();
        engine.handle_event(
            Duration::ZERO,
            Event::LinkChanged(engine::Link {
                ifindex: IfIndex::new(7).unwrap(),
                name,
                mac: Some("02:00:00:00:00:01".parse().unwrap()),
                mtu: 1500,
                master: None,
                is_bridge: false,
                is_ready: true,
            }),
        );
        if let Some(file) = file {
            let parsed = parse(Path::new("/b/tap0"), file.as_bytes()).unwrap();
            engine.handle_event(Duration::ZERO, Event::BindingLoaded(Box::new(parsed.binding)));
        }
        Explained::new(Duration::ZERO, name, &engine.explain(name), &config)
    }

    /// The names of the fields are other programs' business too.
    #[test]
    fn an_explanation_has_these_fields() {
        let line = to_line(&Answer::Explained(explained(None).into()));
        let expected = concat!(
            r#"{"explained":{"name":"tap0","file":"/b/tap0","datapath_gone":null,"tap":null,"doubts":[],"#,
            r#""link":{"name":"tap0","ifindex":7,"mac":"02:00:00:00:00:01","mtu":1500,"bridge":false,"up":true},"#,
            r#""master":null,"indev":null,"unclaimed":null,"queues":[{"kind":"dhcp","queue":42},"#,
            r#"{"kind":"rs","queue":43},{"kind":"ns","queue":44},{"kind":"dhcpv6","queue":null}],"rehearsals":[]}}"#,
            "\n"
        );
        assert_eq!(line, expected);
    }

    #[test]
    fn a_rehearsal_is_named_and_survives_its_line() {
        let file = "MAC=aa:00:00:00:00:01\nHOSTNAME=a\nIP=192.0.2.10\nSUBNET=192.0.2.0/24\nSUBNET6=2001:db8::/64\n";
        let explained = explained(Some(file));
        let answered: Vec<_> = explained
            .rehearsals
            .iter()
            .map(|rehearsed| (&*rehearsed.kind, &*rehearsed.inquiry, &*rehearsed.outcome, rehearsed.reply.is_some()))
            .collect();
        assert_eq!(
            answered,
            [
                ("dhcp", "discover", "dhcpv4_offer", true),
                ("dhcp", "request", "dhcpv4_ack", true),
                ("rs", "router_solicitation", "ra_solicited", true),
                ("ns", "neighbor_solicitation", "na_own", true),
                ("dhcpv6", "information_request", "service_disabled", false),
            ]
        );
        let answer = Answer::Explained(explained.into());
        assert_eq!(from_line::<Answer>(to_line(&answer).as_bytes()).unwrap(), answer);
    }
}
