//! What is missing or wrong in netfilter, in words that an operator can act on.

use std::fmt;

use super::{Diverted, Kind, Limit, NAME, Origin, Pattern, Taker, Where, guard};
use crate::config::QueueNum;

/// Something in netfilter is not as a configuration needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// Of a kind of packets from some taps: what is wrong on their way.
    Way {
        /// The kind.
        kind: Kind,
        /// The queue that they should go to.
        queue: QueueNum,
        /// The taps.
        origin: Origin,
        /// What is wrong.
        fault: Fault,
    },
    /// Rules lead to a queue of this configuration, and no program has bound it.
    NotBound(QueueNum),
    /// Another program has bound a queue of this configuration.
    Taken {
        /// The queue.
        queue: QueueNum,
        /// The program, for people.
        by: String,
    },
    /// The guard is not as it should be.
    Guard {
        /// The family of its table.
        family: &'static str,
        /// What is wrong.
        fault: GuardFault,
    },
    /// A rule leads to a queue that no daemon of this configuration binds, nor anybody else.
    NobodyBinds(Diverted),
}

/// What is wrong on the way of packets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// No rule diverts them.
    NotDiverted,
    /// Those of some taps alone are diverted.
    OnlySome(Diverted),
    /// A rule diverts them to somewhere else.
    Elsewhere(Diverted),
    /// Something drops them before they get to the queue.
    Dropped(Where),
    /// A rule takes some of them away before they get to the queue, or may.
    Taken(Taker),
    /// A rule may divert them, or not.
    Unclear(Where),
    /// Rules match ports of a bridge, which does not show its packets to them: this sysctl is 0.
    NotShown(&'static str),
    /// They should pass while nobody has bound the queue, and the rule drops them.
    NoBypass(Where),
    /// The other way round.
    Bypass(Where),
    /// Nothing holds a tap to a rate.
    NoLimit(Limit),
    /// The rate is another one.
    OtherLimit {
        /// What it is.
        found: Limit,
        /// What it should be.
        wanted: Limit,
    },
}

/// What is wrong with a guard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GuardFault {
    /// It is not there.
    NoTable,
    /// It does not look at what comes from taps.
    NotFor(Pattern),
    /// A rule is missing.
    NoRule {
        /// The rule's chain.
        chain: String,
        /// The rule's comment.
        rule: String,
    },
    /// A rule is there that was not asked for.
    Foreign(Where),
    /// A rule is not what its comment says.
    Altered {
        /// The rule.
        at: Where,
        /// Its comment.
        rule: String,
    },
    /// A chain has its rules in another order, or twice.
    Disorder {
        /// The chain.
        chain: String,
    },
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Way { kind, queue, origin, fault } => {
                write!(f, "queue {queue} ({}): ", kind.name())?;
                fault.write(f, kind.plural(), origin)
            }
            Self::NotBound(queue) => {
                write!(f, "queue {queue}: rules present, no program has bound it: is nfdhcpd running?")
            }
            Self::Taken { queue, by } => {
                write!(
                    f,
                    "queue {queue}: bound by {by}, which is no nfdhcpd: no daemon of this configuration can start"
                )
            }
            Self::Guard { family, fault } => fault.write(f, family),
            Self::NobodyBinds(diverted) => {
                write!(f, "{diverted}: no daemon of this configuration binds it, nor has anybody else; ")?;
                write!(f, "it is where a rule sends packets to ({})", diverted.rule)
            }
        }
    }
}

impl Fault {
    fn write(&self, f: &mut fmt::Formatter<'_>, what: &str, origin: &Origin) -> fmt::Result {
        match self {
            Self::NotDiverted => write!(f, "no rule diverts {what} from {origin}"),
            Self::OnlySome(diverted) => {
                write!(f, "{what} are diverted from some of {origin} only ({})", diverted.rule)
            }
            Self::Elsewhere(to) if to.queues.is_none() => {
                write!(f, "cannot tell to which queue {what} from {origin} are diverted ({})", to.rule)
            }
            Self::Elsewhere(to) => write!(f, "{what} from {origin} are diverted to {to} instead ({})", to.rule),
            Self::Dropped(rule) => write!(f, "{what} from {origin} are dropped before they get there ({rule})"),
            Self::Taken(Taker { rule, is_certain: true }) => {
                write!(f, "a rule keeps some of the {what} from {origin} from this queue: {rule}")
            }
            Self::Taken(Taker { rule, .. }) => {
                write!(f, "cannot tell whether this rule keeps {what} from {origin} from this queue: {rule}")
            }
            Self::Unclear(rule) => {
                write!(f, "cannot tell whether {what} from {origin} are diverted by this rule: {rule}")
            }
            Self::NotShown(sysctl) => {
                write!(f, "{sysctl} is 0, and the rules for {what} from {origin} match by physdev: it has to be 1")
            }
            Self::NoBypass(rule) => write!(f, "rule present, but no bypass ({rule})"),
            Self::Bypass(rule) => write!(f, "the rule has bypass, which was not asked for with --bypass ({rule})"),
            Self::NoLimit(_) => write!(f, "no limit on {what} from {origin}; without one wanted, say --no-limit"),
            Self::OtherLimit { found, wanted } => {
                let [found, wanted] =
                    [found, wanted].map(|limit| format!("{}/second, burst {}", limit.rate, limit.burst));
                write!(f, "the limit on {what} from {origin} is {found}, not {wanted}")
            }
        }
    }
}

impl GuardFault {
    fn write(&self, f: &mut fmt::Formatter<'_>, family: &str) -> fmt::Result {
        match self {
            Self::NoTable => {
                let (chain, priority) = (guard::TAPS, guard::PRIORITY);
                write!(f, "guard table missing: table {family} {NAME} has no chain {chain}")?;
                write!(f, " that the kernel enters (prerouting, priority {priority}, not dormant)")
            }
            Self::NotFor(taps) => write!(f, "guard: table {family} {NAME} does not look at what comes from {taps}"),
            Self::NoRule { chain, rule } => {
                write!(f, "guard: table {family} {NAME}, chain {chain}: this rule is missing: {rule}")
            }
            Self::Foreign(rule) => write!(f, "guard: a rule that was not asked for: {rule}"),
            Self::Altered { at, rule } => write!(f, "guard: not the rule that its comment names ({rule}): {at}"),
            Self::Disorder { chain } => {
                write!(f, "guard: table {family} {NAME}, chain {chain}: its rules are in another order, or there twice")
            }
        }
    }
}
