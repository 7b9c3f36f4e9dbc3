//! What becomes of the requests of a tap: the way through all tables that there are, as the kernel goes it.

use std::fmt;
use std::ops::RangeInclusive;

use super::installed::{Action, Base, Chain, Family, Hook, Installed, Rule, Sight, Table, Where};
use super::kind::IpVersion;
use super::pattern::Share;
use super::{Kind, Limit, Pattern};
use crate::config::QueueNum;

/// How far jumps lead: as far as the kernel lets them (`NFT_JUMP_STACK_SIZE`).
const DEEPEST: usize = 16;
/// How many rules are looked at for an answer, more than a node has. Chains that lead to each other by several rules could be
/// gone through in as many ways as two to the power of sixteen, and more.
const MOST_RULES: usize = 200_000;

/// Before br_netfilter shows a frame to the tables of IP (`NF_BR_PRI_BRNF`).
const BR_NETFILTER: i64 = 0;

/// Where requests come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// Taps that the node routes for.
    Routed(Pattern),
    /// Taps that are ports of a bridge.
    Port {
        /// The taps.
        taps: Pattern,
        /// Their bridge, if it is known.
        bridge: Option<Pattern>,
    },
}

impl Origin {
    /// The taps.
    pub fn taps(&self) -> &Pattern {
        match self {
            Self::Routed(taps) | Self::Port { taps, .. } => taps,
        }
    }

    /// How a table sees it.
    fn sight(&self, family: Family, is_shown: bool, is_first: bool) -> Sight<'_> {
        let is_above_bridge = !matches!(family, Family::Bridge | Family::Netdev);
        match self {
            Self::Routed(taps) => {
                Sight { taps, is_port: false, bridge: None, is_above_bridge, is_port_shown: false, is_first }
            }
            Self::Port { taps, bridge } => Sight {
                taps,
                is_port: true,
                bridge: bridge.as_ref(),
                is_above_bridge,
                is_port_shown: is_shown && is_above_bridge,
                is_first,
            },
        }
    }
}

/// The taps, and how they are plugged in.
impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Routed(taps) => taps.fmt(f),
            Self::Port { taps, bridge: None } => write!(f, "{taps} (bridged)"),
            Self::Port { taps, bridge: Some(bridge) } => write!(f, "{taps} (ports of {bridge})"),
        }
    }
}

/// What becomes of requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Way {
    /// They go to a queue.
    Queue(Diverted),
    /// Those of some of the taps go to a queue.
    OfSome(Diverted),
    /// They go to a queue, but for those that another rule takes away.
    Rest(Diverted, Taker),
    /// There is a rule that sends packets to a queue, and we cannot tell whether these are among them.
    Unclear(Where),
    /// A rule drops them, or the policy of a chain.
    Dropped(Where),
    /// Nothing: they go on as if there were no rules.
    Passes,
}

impl Way {
    /// Whether who reads the queue is told by which port of a bridge they came, and not by which bridge alone; None where no
    /// rule diverts them. `nfqnl_build_packet_message` (net/netfilter/nfnetlink_queue.c) knows it of what the bridge itself
    /// diverts, and of what br_netfilter shows to the tables of IP.
    pub fn names_port(&self, installed: &Installed, kind: Kind) -> Option<bool> {
        let rule = match self {
            Self::Queue(diverted) | Self::OfSome(diverted) | Self::Rest(diverted, _) => &diverted.rule,
            Self::Unclear(rule) => rule,
            Self::Dropped(_) | Self::Passes => return None,
        };
        Some(rule.is_of_bridge() || installed.is_shown(kind.version()))
    }
}

/// A rule that takes away some of the packets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taker {
    /// The rule.
    pub rule: Where,
    /// It takes some for certain. Else it cannot be told whether it takes any, or all.
    pub is_certain: bool,
}

/// What a rule diverts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diverted {
    /// The queues; None if that cannot be told.
    pub queues: Option<RangeInclusive<u16>>,
    /// They pass while nobody has bound the queue.
    pub bypass: bool,
    /// The rule.
    pub rule: Where,
}

impl Diverted {
    fn does_as(&self, other: &Self) -> bool {
        (&self.queues, self.bypass) == (&other.queues, other.bypass)
    }

    /// Whether this is the one queue that they go to; None if that cannot be told.
    pub fn is_to(&self, queue: QueueNum) -> Option<bool> {
        self.queues.as_ref().map(|queues| *queues == (queue.0..=queue.0))
    }
}

/// Numbers, as few as they are.
impl fmt::Display for Diverted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.queues.as_ref().map(|queues| (queues.start(), queues.end())) {
            Some((first, last)) if first == last => write!(f, "queue {first}"),
            Some((first, last)) => write!(f, "queues {first} to {last}"),
            None => f.write_str("a queue"),
        }
    }
}

/// What becomes of requests of a kind, with the rules as they are.
pub fn way(installed: &Installed, origin: &Origin, kind: Kind) -> Way {
    way_if_shown(installed, origin, kind, installed.is_shown(kind.version()))
}

/// The same of what a guest asks first, before it has an address of its own.
pub fn first_way(installed: &Installed, origin: &Origin, kind: Kind) -> Way {
    Walk { is_first: true, ..Walk::new(origin, kind, installed.is_shown(kind.version())) }.go(installed)
}

/// What becomes of requests, if bridges showed packets to the tables of IP, or did not.
fn way_if_shown(installed: &Installed, origin: &Origin, kind: Kind, is_shown: bool) -> Way {
    Walk::new(origin, kind, is_shown).go(installed)
}

/// The sysctl that is 0 and keeps packets from rules of IP that would divert them, by ports of a bridge; None where there are no
/// such rules, or where they see the packets.
pub fn hidden_by(installed: &Installed, origin: &Origin, kind: Kind) -> Option<&'static str> {
    let is_hidden = matches!(origin, Origin::Port { .. }) && !installed.is_shown(kind.version());
    let would_be = is_hidden.then(|| way_if_shown(installed, origin, kind, true))?;
    matches!(would_be, Way::Queue(_) | Way::Rest(..)).then_some(match kind.version() {
        IpVersion::V4 => "bridge-nf-call-iptables",
        IpVersion::V6 => "bridge-nf-call-ip6tables",
    })
}

/// What holds taps to a rate on the way. What is dropped before it gets to a limit lacks none.
pub(super) fn limits(installed: &Installed, origin: &Origin, kind: Kind) -> Vec<Limit> {
    let mut walk = Walk { passes_drops: true, ..Walk::new(origin, kind, installed.is_shown(kind.version())) };
    walk.go(installed);
    walk.limits
}

struct Walk<'a> {
    kind: Kind,
    is_shown: bool,
    origin: &'a Origin,
    /// First requests alone.
    is_first: bool,
    /// Rules that divert some of them, or may.
    partial: Vec<(Diverted, Way)>,
    /// The first rule that takes some of them away from all that follows, or may.
    lost: Option<Taker>,
    /// The same, away from the rest of the chain that the kernel has entered.
    accepted: Option<Taker>,
    /// The same, away from the rest of this chain.
    returned: Option<Taker>,
    limits: Vec<Limit>,
    /// Goes on where packets are dropped.
    passes_drops: bool,
    /// How many rules have diverted or limited any of them.
    met: usize,
    /// How many rules were looked at, behind jumps.
    looked_at: usize,
}

/// How a chain ends for a packet.
enum End {
    /// No rule has decided: the chain that has led here goes on.
    Open,
    /// This hook has no more to say.
    Accepted,
    /// It goes nowhere else.
    Decided(Way),
}

impl<'a> Walk<'a> {
    fn new(origin: &'a Origin, kind: Kind, is_shown: bool) -> Self {
        let (partial, limits) = (Vec::new(), Vec::new());
        Self {
            kind,
            is_shown,
            origin,
            is_first: false,
            partial,
            lost: None,
            accepted: None,
            returned: None,
            limits,
            passes_drops: false,
            met: 0,
            looked_at: 0,
        }
    }

    fn go(&mut self, installed: &Installed) -> Way {
        for (table, chain, base) in self.stations(installed) {
            let sight = self.origin.sight(table.family, self.is_shown, self.is_first);
            let share = share(base, self.origin);
            self.accepted = None;
            match self.follow(Position { table, chain, sight, share, depth: 0 }) {
                End::Decided(way) => return way,
                End::Open if base.drops && share == Share::All && !self.passes_drops => {
                    return Way::Dropped(Where::of(table, chain, "its policy"));
                }
                End::Open | End::Accepted => {}
            }
        }
        self.partial.drain(..).next().map_or(Way::Passes, |(_, way)| way)
    }

    /// All chains that the kernel enters with such a packet, in order.
    fn stations<'i>(&self, installed: &'i Installed) -> Vec<(&'i Table, &'i Chain, &'i Base)> {
        let chains = installed.tables.iter().flat_map(|table| table.chains.values().map(move |chain| (table, chain)));
        let bases = chains.filter_map(|(table, chain)| Some((table, chain, chain.base.as_ref()?)));
        let mut stations: Vec<_> = bases
            .filter(|(table, _, base)| self.is_seen_by(table.family, base))
            .filter(|(.., base)| share(base, self.origin) != Share::None)
            .collect();
        // A bridge has its turn before the tables of IP, and what it does behind br_netfilter comes after them.
        stations.sort_by_key(|(table, _, base)| {
            let is_early = table.family == Family::Bridge && base.priority < BR_NETFILTER;
            (base.hook, !is_early, base.priority)
        });
        stations
    }

    fn is_seen_by(&self, family: Family, base: &Base) -> bool {
        match family {
            Family::Ip => self.kind.version() == IpVersion::V4,
            Family::Ip6 => self.kind.version() == IpVersion::V6,
            Family::Inet => true,
            Family::Netdev => base.hook == Hook::Ingress,
            Family::Bridge => matches!(self.origin, Origin::Port { .. }),
        }
    }

    /// Goes through a chain, and those that it leads to.
    fn follow(&mut self, position: Position<'_>) -> End {
        let returned = self.returned.clone();
        let end = self.follow_rules(position);
        self.returned = returned;
        end
    }

    fn follow_rules(&mut self, position: Position<'_>) -> End {
        for rule in &position.chain.rules {
            let conditions = rule.conditions.iter().map(|condition| condition.share(&position.sight, self.kind));
            let share = conditions.min().unwrap_or(Share::All).min(position.share);
            if share != Share::None
                && let Some(end) = self.apply(position, rule, share)
            {
                return end;
            }
        }
        End::Open
    }

    /// Has a rule do what it does. None: what is behind it has its turn, with the rest of the packets at least.
    fn apply(&mut self, position: Position<'_>, rule: &Rule, share: Share) -> Option<End> {
        let is_for_all = share == Share::All;
        if let Some(limit) = rule.limit {
            // Who is within the limit goes on.
            self.met += 1;
            let holds = is_for_all && rule.action == Action::Drop && self.taken().is_none();
            self.limits.extend(holds.then_some(limit));
            return None;
        }
        let place = || Where::of(position.table, position.chain, &rule.label);
        match &rule.action {
            Action::None => {}
            Action::Drop if self.passes_drops => {}
            Action::Accept if is_for_all => return Some(End::Accepted),
            Action::Return if is_for_all => return Some(End::Open),
            Action::Drop if is_for_all => return Some(End::Decided(Way::Dropped(place()))),
            Action::Accept => take(&mut self.accepted, share, place()),
            Action::Return => take(&mut self.returned, share, place()),
            Action::Drop => take(&mut self.lost, share, place()),
            Action::Queue(queues) => {
                let diverted = Diverted { queues: queues.numbers.clone(), bypass: queues.bypass, rule: place() };
                return self.divert(diverted, share);
            }
            Action::Jump(chain) => {
                let end = self.enter(position, chain, share)?;
                return (is_for_all && !matches!(end, End::Open)).then_some(end);
            }
            Action::Goto(chain) if is_for_all => return self.enter(position, chain, share),
            Action::Goto(chain) => {
                let known = self.met;
                self.enter(position, chain, share)?;
                // Those that have gone there do not come back. They miss nothing if they find there what the others find here.
                if self.met == known {
                    take(&mut self.returned, share, place());
                }
            }
        }
        None
    }

    /// A chain that a rule leads to, if there is one. After too many rules it cannot be told what this one does.
    fn enter(&mut self, position: Position<'_>, chain: &str, share: Share) -> Option<End> {
        let chain = position.table.chains.get(chain).filter(|_| position.depth < DEEPEST)?;
        self.looked_at += chain.rules.len();
        if self.looked_at > MOST_RULES {
            let place = Where::of(position.table, position.chain, "too many jumps to follow");
            take(&mut self.lost, Share::Unclear, place);
            return None;
        }
        Some(self.follow(Position { chain, share, depth: position.depth + 1, ..position }))
    }

    fn divert(&mut self, diverted: Diverted, share: Share) -> Option<End> {
        self.met += 1;
        let way = match share {
            Share::All => return Some(End::Decided(self.all(diverted))),
            Share::Some => Way::OfSome(diverted.clone()),
            Share::Unclear | Share::None => Way::Unclear(diverted.rule.clone()),
        };
        self.partial.push((diverted, way));
        None
    }

    /// What becomes of them, if a rule diverts all that get there.
    fn all(&self, diverted: Diverted) -> Way {
        let other = self.partial.iter().find(|(other, _)| !other.does_as(&diverted));
        let elsewhere =
            other.map(|(other, way)| Taker { rule: other.rule.clone(), is_certain: matches!(way, Way::OfSome(_)) });
        match elsewhere.or_else(|| self.taken().cloned()) {
            None => Way::Queue(diverted),
            Some(taker) => Way::Rest(diverted, taker),
        }
    }

    /// The rule that takes some away from where we are.
    fn taken(&self) -> Option<&Taker> {
        self.lost.as_ref().or(self.accepted.as_ref()).or(self.returned.as_ref())
    }
}

/// Notes that a rule takes some of the packets away, but not all. What is behind it has its turn.
fn take(taken: &mut Option<Taker>, share: Share, rule: Where) {
    taken.get_or_insert(Taker { rule, is_certain: share == Share::Some });
}

/// Where a walk is.
#[derive(Clone, Copy)]
struct Position<'a> {
    table: &'a Table,
    chain: &'a Chain,
    sight: Sight<'a>,
    /// How many of the packets get here.
    share: Share,
    depth: usize,
}

/// How many of the packets get to a chain that the kernel enters.
fn share(base: &Base, origin: &Origin) -> Share {
    let devices = base.devices.iter().map(|device| device.share_of(origin.taps()));
    match devices.max() {
        // Only what is for the node itself, or for others: where to a request goes depends.
        None if base.hook == Hook::Later => Share::Unclear,
        None => Share::All,
        Some(share) => share,
    }
}
