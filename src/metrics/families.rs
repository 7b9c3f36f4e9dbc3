//! Every metric: its name, its type, what it means, and its samples.

use std::fmt;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode_registry;
use prometheus_client::encoding::{DescriptorEncoder, EncodeGaugeValue, EncodeLabelSet, MetricEncoder, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;

use super::{Snapshot, reply};
use crate::engine::{Reason, Verdict};
use crate::queue_list::Listed;

/// What may become of a metric's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It only grows, from the start of the daemon on.
    Counter,
    /// It is as it is.
    Gauge,
    /// Counts of what is within each of several bounds.
    Histogram,
}

impl Kind {
    /// As Prometheus calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }

    fn metric_type(self) -> MetricType {
        match self {
            Self::Counter => MetricType::Counter,
            Self::Gauge => MetricType::Gauge,
            Self::Histogram => MetricType::Histogram,
        }
    }
}

/// A metric.
#[derive(Debug, Clone, Copy)]
pub struct Family {
    /// Its name. The names of a histogram's samples have suffixes besides.
    pub name: &'static str,
    /// Its type.
    pub kind: Kind,
    /// What it means.
    pub help: &'static str,
    /// The labels of its samples.
    pub labels: &'static [&'static str],
    write: fn(&Snapshot, &mut Samples<'_>) -> fmt::Result,
}

/// Every metric, in the order of the text.
pub fn families() -> &'static [Family] {
    FAMILIES
}

/// The text, in the classic format of Prometheus, version 0.0.4.
///
/// Of the two text formats this is the one that every reader knows, `promtool check metrics` among them. They differ here in that
/// the classic one has the suffix of a counter in its name, and no end.
pub fn render(snapshot: Snapshot) -> String {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(snapshot));
    let mut text = String::new();
    // A String takes everything.
    let _ = encode_registry(&mut text, &registry);
    text
}

impl Collector for Snapshot {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        FAMILIES.iter().try_for_each(|family| {
            let metric = encoder.encode_descriptor(family.name, family.help, None, family.kind.metric_type())?;
            (family.write)(self, &mut Samples { metric, labels: family.labels })
        })
    }
}

/// Where the samples of a metric go.
struct Samples<'a> {
    metric: MetricEncoder<'a>,
    labels: &'static [&'static str],
}

impl Samples<'_> {
    /// The one sample of a metric without labels.
    fn one(&mut self, value: impl EncodeGaugeValue) -> fmt::Result {
        self.metric.encode_gauge(&value)
    }

    /// A sample with these values of its labels. Of a counter as well: what the library does for counters is to add the suffix, as
    /// the other format wants it.
    fn labelled<const N: usize>(&mut self, values: [&str; N], value: impl EncodeGaugeValue) -> fmt::Result {
        self.metric.encode_family(&Labels { names: self.labels, values: &values })?.encode_gauge(&value)
    }
}

/// Labels, by name and by value.
struct Labels<'a> {
    names: &'static [&'static str],
    values: &'a [&'a str],
}

impl EncodeLabelSet for Labels<'_> {
    fn encode(&self, encoder: &mut prometheus_client::encoding::LabelSetEncoder<'_>) -> fmt::Result {
        let pairs: Vec<(&str, &str)> = self.names.iter().copied().zip(self.values.iter().copied()).collect();
        pairs.encode(encoder)
    }
}

const fn family(
    name: &'static str,
    kind: Kind,
    labels: &'static [&'static str],
    help: &'static str,
    write: fn(&Snapshot, &mut Samples<'_>) -> fmt::Result,
) -> Family {
    Family { name, kind, help, labels, write }
}

const FAMILIES: &[Family] = &[
    family("nfdhcpd_build_info", Kind::Gauge, &["version"], "Always 1; the version is a label.", |_, to| {
        to.labelled([env!("CARGO_PKG_VERSION")], 1_u64)
    }),
    family(
        "process_start_time_seconds",
        Kind::Gauge,
        &[],
        "When the daemon started, in seconds since the Unix epoch.",
        |snapshot, to| to.one(snapshot.started.as_secs_f64()),
    ),
    family("nfdhcpd_uptime_seconds", Kind::Gauge, &[], "How long the daemon runs, in seconds.", |snapshot, to| {
        to.one(snapshot.measured.now.as_secs_f64())
    }),
    family(
        "nfdhcpd_packets_total",
        Kind::Counter,
        &["queue", "outcome", "verdict"],
        "Packets that had their verdict, by queue and by what became of them.",
        packets,
    ),
    family(
        "nfdhcpd_replies_total",
        Kind::Counter,
        &["type"],
        "Replies to packets of guests, by the kind of message.",
        replies,
    ),
    family(
        "nfdhcpd_unsolicited_frames_total",
        Kind::Counter,
        &["type"],
        "Frames that were sent without being asked for.",
        |snapshot, to| {
            let mut count = |(reason, kind): (_, &str)| to.labelled([kind], snapshot.measured.total(reason));
            reply::UNSOLICITED.into_iter().try_for_each(&mut count)
        },
    ),
    family(
        "nfdhcpd_send_failures_total",
        Kind::Counter,
        &[],
        "Replies and other frames that could not be sent.",
        |snapshot, to| to.one(snapshot.measured.total(Reason::SendFailed)),
    ),
    family(
        "nfdhcpd_reply_latency_seconds",
        Kind::Histogram,
        &["queue"],
        "Time from the kernel's stamp on a packet until its reply was sent.",
        latencies,
    ),
    family(
        "nfdhcpd_receive_buffer_overruns_total",
        Kind::Counter,
        &["queue"],
        "How often a receive buffer of the daemon was found to have overflowed.",
        |snapshot, to| {
            let mut queues = snapshot.measured.queues.iter();
            queues.try_for_each(|counts| to.labelled([&counts.queue.to_string()], counts.overruns))
        },
    ),
    family(
        "nfdhcpd_queue_waiting_packets",
        Kind::Gauge,
        &["queue"],
        "Packets in the kernel that have no verdict yet.",
        |snapshot, to| listed(snapshot).try_for_each(|it| to.labelled([&it.number.to_string()], it.waiting)),
    ),
    family(
        "nfdhcpd_queue_limit_packets",
        Kind::Gauge,
        &["queue"],
        "How many packets may wait for a verdict before more are dropped.",
        |snapshot, to| {
            let mut queues = snapshot.measured.queues.iter();
            queues.try_for_each(|counts| to.labelled([&counts.queue.to_string()], snapshot.queue_limit))
        },
    ),
    family(
        "nfdhcpd_queue_dropped_packets_total",
        Kind::Counter,
        &["queue", "cause"],
        "Packets that the kernel dropped because the queue or the receive buffer was full.",
        |snapshot, to| {
            listed(snapshot).try_for_each(|it| {
                let queue = it.number.to_string();
                to.labelled([&queue, "queue_full"], it.dropped_full)?;
                to.labelled([&queue, "buffer_full"], it.dropped_unread)
            })
        },
    ),
    family(
        "nfdhcpd_bindings",
        Kind::Gauge,
        &["state"],
        "Taps that have a binding file, by how they stand.",
        |Snapshot { bindings, .. }, to| {
            to.labelled(["serving"], bindings.serving)?;
            to.labelled(["pending"], bindings.pending)?;
            to.labelled(["rejected"], bindings.rejected)
        },
    ),
    family(
        "nfdhcpd_rejected_binding_files",
        Kind::Gauge,
        &[],
        "Binding files that are wrong, also where the last good one is still in force.",
        |snapshot, to| to.one(snapshot.bindings.rejected_files),
    ),
    family(
        "nfdhcpd_top_tap_packets_per_second",
        Kind::Gauge,
        &["tap"],
        "Packets a second of the taps that have the most of late, ten at most.",
        |snapshot, to| snapshot.talkers.iter().try_for_each(|it| to.labelled([it.tap.as_str()], it.rate)),
    ),
    family(
        "nfdhcpd_log_lines_suppressed_total",
        Kind::Counter,
        &[],
        "Lines about packets that were only counted, since a few like them were logged before.",
        |snapshot, to| to.one(snapshot.measured.suppressed_lines),
    ),
    family(
        "nfdhcpd_log_lines_lost_total",
        Kind::Counter,
        &[],
        "Lines that were lost because the log was not read or written fast enough.",
        |snapshot, to| to.one(snapshot.measured.lost_lines + snapshot.lost_lines),
    ),
];

fn packets(snapshot: &Snapshot, to: &mut Samples<'_>) -> fmt::Result {
    for counts in &snapshot.measured.queues {
        let queue = counts.queue.to_string();
        for (reason, count) in counts.outcomes().filter(|(reason, _)| reply::ends_a_packet(*reason)) {
            let verdict = match reason.verdict() {
                Verdict::Accept => "accept",
                Verdict::Drop => "drop",
            };
            to.labelled([&queue, reason.name(), verdict], count)?;
        }
    }
    Ok(())
}

fn replies(snapshot: &Snapshot, to: &mut Samples<'_>) -> fmt::Result {
    reply::TYPES.into_iter().try_for_each(|kind| {
        let outcomes = snapshot.measured.queues.iter().flat_map(|counts| counts.outcomes());
        let of_kind = outcomes.filter(|(reason, _)| reply::of(*reason) == Some(kind));
        to.labelled([kind], of_kind.map(|(_, count)| count).sum::<u64>())
    })
}

fn latencies(snapshot: &Snapshot, to: &mut Samples<'_>) -> fmt::Result {
    snapshot.measured.queues.iter().try_for_each(|counts| {
        let (latency, queue) = (&counts.latency, counts.queue.to_string());
        let labels = Labels { names: to.labels, values: &[&queue] };
        let mut metric = to.metric.encode_family(&labels)?;
        metric.encode_histogram::<NoLabelSet>(latency.sum(), latency.count(), &latency.buckets(), None)
    })
}

/// What the kernel says of queues of ours.
fn listed(snapshot: &Snapshot) -> impl Iterator<Item = &Listed> {
    let is_ours = |listed: &&Listed| snapshot.measured.queues.iter().any(|counts| counts.queue.0 == listed.number);
    snapshot.listed.iter().filter(is_ours)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::config::QueueNum;
    use crate::metrics::{Bindings, Measured, QueueCounts, Talker};

    fn snapshot() -> Snapshot {
        let [mut dhcp, rs] = [QueueNum(42), QueueNum(43)].map(QueueCounts::new);
        for reason in [Reason::Acked, Reason::Acked, Reason::Informed, Reason::UnknownTap] {
            dhcp.count(reason);
        }
        dhcp.latency.observe(Duration::from_micros(30));
        dhcp.latency.observe(Duration::from_secs(2));
        dhcp.overruns = 4;
        let listed = |number| Listed { number, port: 6, waiting: 7, dropped_full: 8, dropped_unread: 9 };
        Snapshot {
            started: Duration::from_millis(1_700_000_000_500),
            measured: Measured {
                now: Duration::from_millis(2_500),
                queues: vec![dhcp, rs],
                counters: vec![(Reason::Announced, 3), (Reason::SendFailed, 2)],
                suppressed_lines: 6,
                lost_lines: 1,
            },
            // The last is another program's.
            listed: [42, 43, 44].map(listed).to_vec(),
            queue_limit: 16_384,
            bindings: Bindings { serving: 3, pending: 2, rejected: 1, rejected_files: 2 },
            talkers: vec![Talker { tap: "a\"\\b".parse().unwrap(), rate: 0.5 }],
            lost_lines: 10,
        }
    }

    #[test]
    fn the_text_says_all_of_it() {
        let text = render(snapshot());
        for line in [
            "process_start_time_seconds 1700000000.5",
            "nfdhcpd_uptime_seconds 2.5",
            "nfdhcpd_packets_total{queue=\"42\",outcome=\"dhcpv4_ack\",verdict=\"drop\"} 2",
            "nfdhcpd_packets_total{queue=\"42\",outcome=\"unknown_tap\",verdict=\"accept\"} 1",
            "nfdhcpd_packets_total{queue=\"43\",outcome=\"unknown_tap\",verdict=\"accept\"} 0",
            "nfdhcpd_replies_total{type=\"dhcpv4_ack\"} 3",
            "nfdhcpd_replies_total{type=\"dhcpv6_reply\"} 0",
            "nfdhcpd_unsolicited_frames_total{type=\"announcement\"} 3",
            "nfdhcpd_unsolicited_frames_total{type=\"router_advertisement\"} 0",
            "nfdhcpd_send_failures_total 2",
            "nfdhcpd_reply_latency_seconds_sum{queue=\"42\"} 2.00003",
            "nfdhcpd_reply_latency_seconds_count{queue=\"42\"} 2",
            "nfdhcpd_reply_latency_seconds_bucket{le=\"0.000025\",queue=\"42\"} 0",
            "nfdhcpd_reply_latency_seconds_bucket{le=\"0.00005\",queue=\"42\"} 1",
            "nfdhcpd_reply_latency_seconds_bucket{le=\"1.0\",queue=\"42\"} 1",
            "nfdhcpd_reply_latency_seconds_bucket{le=\"+Inf\",queue=\"42\"} 2",
            "nfdhcpd_receive_buffer_overruns_total{queue=\"42\"} 4",
            "nfdhcpd_queue_waiting_packets{queue=\"42\"} 7",
            "nfdhcpd_queue_limit_packets{queue=\"43\"} 16384",
            "nfdhcpd_queue_dropped_packets_total{queue=\"43\",cause=\"queue_full\"} 8",
            "nfdhcpd_queue_dropped_packets_total{queue=\"43\",cause=\"buffer_full\"} 9",
            "nfdhcpd_bindings{state=\"pending\"} 2",
            "nfdhcpd_rejected_binding_files 2",
            "nfdhcpd_top_tap_packets_per_second{tap=\"a\\\"\\\\b\"} 0.5",
            "nfdhcpd_log_lines_suppressed_total 6",
            "nfdhcpd_log_lines_lost_total 11",
        ] {
            assert!(text.lines().any(|known| known == line), "{line} in\n{text}");
        }
        assert!(!text.contains("queue=\"44\""), "another program's queue in\n{text}");
        assert!(!text.contains("outcome=\"send_failed\"") && !text.contains("outcome=\"announced\""), "{text}");
    }

    #[test]
    fn samples_have_the_labels_of_their_family() {
        let text = render(snapshot());
        for family in FAMILIES {
            let samples = text.lines().filter_map(|line| line.strip_prefix(family.name)?.strip_prefix('{'));
            for sample in samples {
                let (labels, _) = sample.rsplit_once('}').unwrap();
                let names: Vec<&str> = labels.split("\",").map(|label| label.split('=').next().unwrap()).collect();
                assert_eq!(names, family.labels, "{sample}");
            }
        }
    }
}
