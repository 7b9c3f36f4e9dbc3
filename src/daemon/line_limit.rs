//! How many lines of a kind are logged: a few for each tap and reason, then only how many more there were.
//!
//! Guests decide how many packets there are, and whoever writes bindings how many warnings, so both the lines and the memory
//! are bounded. Pure: time is an argument.

use std::collections::VecDeque;

use rustc_hash::FxHashMap;

use crate::binding::InterfaceName;
use crate::engine::Now;

/// How long lines are counted together.
pub(super) const SPAN: Now = Now::from_secs(60);
/// How many lines a tap and reason may have in a span.
pub(super) const LINES_PER_SPAN: u32 = 3;
/// How many warnings a binding may have in a span: all that are told of one file, and a few more.
pub(super) const WARNINGS_PER_SPAN: u32 = 20;
/// How many taps and kinds of lines are told apart where the lines are about bindings: each of ten thousand is told of at the
/// start.
pub(super) const MAX_BINDINGS: usize = 65_536;
/// How many taps and reasons are told apart in a span, unless said otherwise. What comes beyond is only counted.
const MAX_KEYS: usize = 4096;
/// The room that is kept for keys once there are none: a flood of them, as at a start with many bindings, is rare.
const ROOM_KEPT: usize = 64;

/// What lines are counted by: the tap (None: it is not known, or the line is about none) and the name of the counter.
pub(super) type Key = (Option<InterfaceName>, &'static str);

/// What was not logged in a span that is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Suppressed {
    /// Whose lines; None: of all that were not told apart.
    pub key: Option<Key>,
    /// How many.
    pub lines: u64,
}

/// The counts of the current spans. A span begins with the first line of a key.
#[derive(Debug)]
pub(super) struct LineLimit {
    /// How many lines a key may have in a span.
    lines_per_span: u32,
    /// How many keys are told apart in a span.
    max_keys: usize,
    /// A guest chooses neither names nor reasons, so none can make keys that collide.
    lines: FxHashMap<Key, u64>,
    /// The ends of the spans, in their order: all are equally long.
    ends: VecDeque<(Now, Key)>,
    /// The end of the span, and the lines, that are not told apart.
    beyond: Option<(Now, u64)>,
}

impl LineLimit {
    /// Nothing logged yet.
    pub(super) fn new() -> Self {
        Self::with_limits(LINES_PER_SPAN, MAX_KEYS)
    }

    /// Nothing logged yet, and so many lines for each key in a span, and so many keys.
    pub(super) fn with_limits(lines_per_span: u32, max_keys: usize) -> Self {
        Self { lines_per_span, max_keys, lines: FxHashMap::default(), ends: VecDeque::new(), beyond: None }
    }

    /// Whether a line may be logged now. If not, it is counted.
    pub(super) fn admit(&mut self, now: Now, key: Key) -> bool {
        if let Some(lines) = self.lines.get_mut(&key) {
            *lines += 1;
            *lines <= u64::from(self.lines_per_span)
        } else if self.lines.len() < self.max_keys {
            self.lines.insert(key, 1);
            self.ends.push_back((now + SPAN, key));
            true
        } else {
            self.beyond.get_or_insert((now + SPAN, 0)).1 += 1;
            false
        }
    }

    /// What was suppressed in a span that is over by now. To be called until it returns None.
    pub(super) fn poll_suppressed(&mut self, now: Now) -> Option<Suppressed> {
        while let Some((_, key)) = self.ends.pop_front_if(|(end, _)| *end <= now) {
            let lines = self.lines.remove(&key).unwrap_or_default();
            let lines = lines.saturating_sub(u64::from(self.lines_per_span));
            if lines > 0 {
                let key = Some(key);
                return Some(Suppressed { key, lines });
            }
        }
        if self.ends.is_empty() && self.ends.capacity() > ROOM_KEPT {
            self.lines.shrink_to(ROOM_KEPT);
            self.ends.shrink_to(ROOM_KEPT);
        }
        let (_, lines) = self.beyond.take_if(|(end, _)| *end <= now)?;
        Some(Suppressed { key: None, lines })
    }

    /// When the next span is over.
    pub(super) fn poll_timeout(&self) -> Option<Now> {
        let ends = [self.ends.front().map(|(end, _)| *end), self.beyond.map(|(end, _)| end)];
        ends.into_iter().flatten().min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Reason;

    fn tap(number: usize) -> Option<InterfaceName> {
        Some(format!("tap{number}").parse().unwrap())
    }

    const T0: Now = Now::from_secs(1000);

    #[test]
    fn a_few_lines_then_a_sum() {
        let mut limit = LineLimit::new();
        let key = (tap(0), Reason::BadChecksum.name());
        let admitted: Vec<bool> = (0..5).map(|_| limit.admit(T0, key)).collect();
        assert_eq!(admitted, [true, true, true, false, false]);
        assert_eq!(limit.poll_timeout(), Some(T0 + SPAN));
        assert_eq!(limit.poll_suppressed(T0 + SPAN - Now::from_nanos(1)), None);
        let sum = Suppressed { key: Some(key), lines: 2 };
        assert_eq!(limit.poll_suppressed(T0 + SPAN), Some(sum));
        assert_eq!(limit.poll_suppressed(T0 + SPAN), None);
        assert!(limit.admit(T0 + SPAN, key), "a new span");
    }

    #[test]
    fn the_limit_may_be_another() {
        let mut limit = LineLimit::with_limits(1, MAX_KEYS);
        let key = (tap(0), "binding_warnings");
        assert!(limit.admit(T0, key) && !limit.admit(T0, key));
        assert_eq!(limit.poll_suppressed(T0 + SPAN), Some(Suppressed { key: Some(key), lines: 1 }));
    }

    #[test]
    fn taps_and_reasons_do_not_silence_each_other() {
        let mut limit = LineLimit::new();
        for _ in 0..10 {
            limit.admit(T0, (tap(0), Reason::BadChecksum.name()));
        }
        assert!(limit.admit(T0, (tap(1), Reason::BadChecksum.name())));
        assert!(limit.admit(T0, (tap(0), Reason::Malformed.name())));
        assert!(limit.admit(T0, (None, Reason::UnknownTap.name())));
    }

    #[test]
    fn few_lines_leave_nothing_to_sum_up() {
        let mut limit = LineLimit::new();
        limit.admit(T0, (tap(0), Reason::Acked.name()));
        assert_eq!(limit.poll_suppressed(T0 + SPAN), None);
        assert_eq!(limit.poll_timeout(), None);
    }

    #[test]
    fn memory_is_bounded() {
        let mut limit = LineLimit::new();
        for number in 0..MAX_KEYS + 7 {
            limit.admit(T0, (tap(number), Reason::Malformed.name()));
        }
        assert_eq!((limit.lines.len(), limit.ends.len()), (MAX_KEYS, MAX_KEYS));
        let beyond = Suppressed { key: None, lines: 7 };
        assert_eq!(limit.poll_suppressed(T0), None, "once for a span");
        assert_eq!(limit.poll_suppressed(T0 + SPAN), Some(beyond));
        assert_eq!(limit.poll_suppressed(T0 + SPAN), None);
        assert_eq!(limit.poll_timeout(), None);
        assert!(limit.lines.capacity() < MAX_KEYS && limit.ends.capacity() < MAX_KEYS, "room that nobody needs");
    }
}
