//! What a configuration needs, compared with what netfilter has.

use super::finding::{Fault, Finding};
use super::guard::{self, Chains};
use super::installed::{Action, Family, Installed, Where};
use super::way::{self, Diverted, Origin, Way};
use super::{Diversion, Kind, Pattern, Rules, Taps};
use crate::config::QueueNum;
use crate::queue_list::Listed;

impl Rules {
    /// What of these rules netfilter does not have, or has otherwise; whoever made those that it has. Empty: all is there.
    ///
    /// `bound` are the queues that programs have bound; None if we may not know.
    pub fn findings(&self, installed: &Installed, bound: Option<&[Listed]>) -> Vec<Finding> {
        let mut findings = Vec::new();
        for diversion in &self.diversions {
            for origin in self.taps.origins() {
                let mut find = |fault| {
                    findings.push(Finding::Way {
                        kind: diversion.kind,
                        queue: diversion.queue,
                        origin: origin.clone(),
                        fault,
                    });
                };
                self.fault(installed, diversion, &origin).map(&mut find);
                self.fault_of_limit(installed, diversion.kind, &origin).map(&mut find);
            }
        }
        findings.extend(self.faults_of_guard(installed));
        findings.extend(bound.map(|bound| self.unbound(installed, bound)).unwrap_or_default());
        findings.extend(self.foreign(installed, bound.unwrap_or_default()));
        findings
    }

    /// Those of these queues that are ours, each with whoever else has bound it.
    pub fn taken(&self, strangers: impl IntoIterator<Item = (QueueNum, String)>) -> Vec<Finding> {
        let is_ours = |queue| self.diversions.iter().any(|diversion| diversion.queue == queue);
        let taken = strangers.into_iter().filter(|(queue, _)| is_ours(*queue));
        taken.map(|(queue, by)| Finding::Taken { queue, by }).collect()
    }

    /// What is wrong with how packets are diverted.
    fn fault(&self, installed: &Installed, diversion: &Diversion, origin: &Origin) -> Option<Fault> {
        let Diversion { kind, queue } = *diversion;
        match way::way(installed, origin, kind) {
            Way::Queue(diverted) => self.fault_of_rule(diverted, diversion),
            Way::OfSome(diverted) if diverted.is_to(queue) == Some(true) => Some(Fault::OnlySome(diverted)),
            Way::Dropped(rule) => Some(Fault::Dropped(rule)),
            Way::Rest(diverted, taker) => self.fault_of_rule(diverted, diversion).or(Some(Fault::Taken(taker))),
            way => Some(way::hidden_by(installed, origin, kind).map_or_else(
                || match way {
                    Way::Unclear(rule) => Fault::Unclear(rule),
                    _ => Fault::NotDiverted,
                },
                Fault::NotShown,
            )),
        }
    }

    fn fault_of_rule(&self, diverted: Diverted, diversion: &Diversion) -> Option<Fault> {
        let wants_bypass = self.bypass.contains(&diversion.kind);
        match diverted.is_to(diversion.queue) {
            Some(true) if diverted.bypass == wants_bypass => None,
            Some(true) if wants_bypass => Some(Fault::NoBypass(diverted.rule)),
            Some(true) => Some(Fault::Bypass(diverted.rule)),
            Some(false) | None => Some(Fault::Elsewhere(diverted)),
        }
    }

    fn fault_of_limit(&self, installed: &Installed, kind: Kind, origin: &Origin) -> Option<Fault> {
        let wanted = self.limits.as_ref()?.of(kind);
        match way::limits(installed, origin, kind).as_slice() {
            [] => Some(Fault::NoLimit(wanted)),
            found if found.contains(&wanted) => None,
            [found, ..] => Some(Fault::OtherLimit { found: *found, wanted }),
        }
    }

    fn faults_of_guard(&self, installed: &Installed) -> Vec<Finding> {
        let Some(guard) = &self.guard else { return Vec::new() };
        let of_family = |family: Family, taps: Vec<&Pattern>| {
            let of_bridge = family == Family::Bridge;
            let faults = guard::faults(installed, family, &taps, &Chains { of_bridge, trunks: &guard.trunks });
            faults.into_iter().map(move |fault| Finding::Guard { family: family.name(), fault })
        };
        let Taps { routed, bridged, .. } = &self.taps;
        let all = routed.iter().chain(bridged.iter().filter(|taps| !routed.contains(taps))).collect();
        of_family(Family::Inet, all).chain(of_family(Family::Bridge, bridged.iter().collect())).collect()
    }

    /// Queues of ours that nobody has bound, though rules lead there.
    fn unbound(&self, installed: &Installed, bound: &[Listed]) -> Vec<Finding> {
        let mut queues: Vec<QueueNum> = self.diversions.iter().map(|diversion| diversion.queue).collect();
        queues.sort_unstable();
        queues.dedup();
        let is_led_to = |queue: &QueueNum| installed.diverted().any(|diverted| diverted.is_to(*queue) == Some(true));
        queues.into_iter().filter(|queue| !has(bound, *queue)).filter(is_led_to).map(Finding::NotBound).collect()
    }

    /// Rules that lead to queues which are neither ours nor anybody's.
    fn foreign(&self, installed: &Installed, bound: &[Listed]) -> Vec<Finding> {
        let is_ours = |number| self.diversions.iter().any(|diversion| diversion.queue == number);
        let is_nobodys = |diverted: &Diverted| {
            let numbers = diverted.queues.clone();
            numbers.is_some_and(|mut numbers| {
                numbers.all(|number| !is_ours(QueueNum(number)) && !has(bound, QueueNum(number)))
            })
        };
        installed.diverted().filter(is_nobodys).map(Finding::NobodyBinds).collect()
    }
}

/// Whether the queue is one of those that are bound.
fn has(bound: &[Listed], queue: QueueNum) -> bool {
    bound.iter().any(|listed| listed.number == queue.0)
}

impl Installed {
    /// Every rule that leads to a queue.
    fn diverted(&self) -> impl Iterator<Item = Diverted> {
        self.rules().filter_map(|(table, chain, rule)| {
            let Action::Queue(queues) = &rule.action else { return None };
            let rule = Where::of(table, chain, &rule.label);
            Some(Diverted { queues: queues.numbers.clone(), bypass: queues.bypass, rule })
        })
    }
}

impl Taps {
    /// All places that packets come from.
    fn origins(&self) -> Vec<Origin> {
        let routed = self.routed.iter().cloned().map(Origin::Routed);
        let bridges: Vec<Option<Pattern>> = match &self.by_bridge[..] {
            [] => vec![None],
            bridges => bridges.iter().cloned().map(Some).collect(),
        };
        let ports = self
            .bridged
            .iter()
            .flat_map(|taps| bridges.iter().map(|bridge| Origin::Port { taps: taps.clone(), bridge: bridge.clone() }));
        routed.chain(ports).collect()
    }
}
