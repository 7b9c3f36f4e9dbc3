//! When a tap hears a Router Advertisement that nobody asked for, and which one.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use super::Content;
use crate::binding::IfIndex;
use crate::engine::Now;
use crate::engine::slot::ABSENCE;
use crate::wire::MacAddr;

/// `MIN_DELAY_BETWEEN_RAS` (RFC 4861 §10): no two periodic advertisements are closer.
pub const MIN_PERIOD: Duration = Duration::from_secs(3);

/// What the advertisements of one tap depend on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Situation {
    /// What the guest is to be told; None: nothing.
    pub content: Option<Arc<Content>>,
    /// The router's MAC, where there is a router.
    pub source: Option<MacAddr>,
    /// The tap, where it is there and can take a frame.
    pub tap: Option<IfIndex>,
    /// `ra_period`.
    pub period: Duration,
}

impl Situation {
    fn can_send(&self) -> bool {
        self.tap.is_some() && self.source.is_some()
    }

    fn period(&self) -> Duration {
        self.period.max(MIN_PERIOD)
    }
}

/// A Router Advertisement to send from the link-local of `source`, with hop limit 255. Unasked it goes to
/// [`ndp::ALL_NODES`](crate::wire::ndp::ALL_NODES), in a frame to [`MacAddr::ALL_NODES`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advertisement<'a> {
    /// The frame's source.
    pub source: MacAddr,
    /// The ICMPv6 message, its checksum zero.
    pub message: Cow<'a, [u8]>,
}

/// The advertisements of one tap: what its guest was told last, what it is to be told, and when.
///
/// To be dropped when the binding is gone and [`poll_timeout`](Self::poll_timeout) is None.
#[derive(Debug, Clone, Default)]
pub struct Advertiser {
    situation: Situation,
    /// The content as the source says it, built when either changes; empty without both.
    message: Box<[u8]>,
    announced: Option<Announced>,
    /// What it was told before that and may still believe, since nothing has taken it back. Empty but for the moment
    /// between a change and its announcement.
    outdated: Vec<Announced>,
    /// With content: when it is announced next. Without: when what was announced is withdrawn.
    at: Option<Now>,
}

/// What the guest was told last, and by whom.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Announced {
    content: Arc<Content>,
    source: MacAddr,
}

impl Advertiser {
    /// Takes in how things are now. What differs from before is announced at once; what does not changes nothing.
    ///
    /// Content that ends here is withdrawn at once; see [`removed`](Self::removed) for a file that is gone.
    pub fn set(&mut self, now: Now, situation: Situation) {
        let old = std::mem::replace(&mut self.situation, situation);
        let new = &self.situation;
        let is_news = old.content != new.content || old.source != new.source;
        // One that was made anew has another index; nobody there heard what was said before.
        let tap_appeared = new.tap.is_some() && new.tap != old.tap;
        if new.content.is_none() {
            if old.content.is_some() {
                self.withdraw_at(now);
            }
        } else if is_news || tap_appeared {
            self.at = Some(now);
        } else {
            // A shorter period holds at once.
            self.at = self.at.map(|at| at.min(now + new.period()));
        }
        if is_news {
            self.encode();
        } else {
            self.share();
        }
    }

    /// Keeps but one copy of what was announced and is to be announced again, however often it is made anew.
    fn share(&mut self) {
        if let (Some(announced), Some(content)) = (&mut self.announced, &self.situation.content)
            && announced.content == *content
        {
            announced.content = Arc::clone(content);
        }
    }

    /// Takes in that the binding file is gone. If there is no content again within [`ABSENCE`], what was
    /// announced is withdrawn.
    pub fn removed(&mut self, now: Now) {
        if self.situation.content.take().is_some() {
            self.withdraw_at(now + ABSENCE);
            self.encode();
        }
    }

    /// What is announced now: the answer to a Router Solicitation. None without content or source.
    pub fn answer(&self) -> Option<Advertisement<'_>> {
        self.situation.content.as_ref()?;
        Some(Advertisement { source: self.situation.source?, message: Cow::Borrowed(&self.message) })
    }

    /// Takes in that the guest is told what is [announced now](Self::answer), be it only because it asked.
    pub fn mark_told(&mut self) {
        let is_known = self.announced.as_ref().is_some_and(|announced| self.is_current(announced));
        if !is_known && let Some(current) = self.current() {
            self.outdated.extend(self.announced.replace(current));
        }
    }

    /// When [`poll_transmit`](Self::poll_transmit) is to be called next.
    pub fn poll_timeout(&self) -> Option<Now> {
        let is_waiting = self.situation.content.is_some() && !self.situation.can_send();
        self.at.filter(|_| !is_waiting)
    }

    /// The advertisement that is due, if one is. To be called until it returns None. `random` is any number: it
    /// decides when the next periodic one comes.
    pub fn poll_transmit(&mut self, now: Now, random: u64) -> Option<Advertisement<'_>> {
        self.poll_timeout().filter(|at| *at <= now)?;
        if self.situation.content.is_none() {
            return self.withdraw();
        }
        if let Some(withdrawal) = self.supersede() {
            return Some(withdrawal);
        }
        // Changes are rare: ten thousand taps need not keep room for what is outdated.
        self.outdated.shrink_to_fit();
        self.at = Some(now + jittered(self.situation.period(), random));
        self.answer()
    }

    /// The last words about content that is gone. Nobody hears them where the tap is gone as well.
    fn withdraw(&mut self) -> Option<Advertisement<'static>> {
        let has_tap = self.situation.tap.is_some();
        let told = std::iter::from_fn(|| self.outdated.pop().or_else(|| self.announced.take())).filter(|_| has_tap);
        let withdrawal =
            told.filter_map(|old| Some(said_by(old.source, &Content::withdrawal(&old.content, None)?))).next();
        self.at = self.at.filter(|_| self.announced.is_some());
        withdrawal
    }

    /// What must be said before the content, because the guest was told something else before, or by another MAC.
    fn supersede(&mut self) -> Option<Advertisement<'static>> {
        // Before it is announced: a change until then must take back what outlives the withdrawal.
        self.mark_told();
        let content = self.situation.content.as_ref()?;
        let source = self.situation.source?;
        let withdrawal = |old: Announced| {
            let withdrawal = if old.source == source {
                Content::withdrawal(&old.content, Some(content))
            } else {
                Content::farewell(&old.content, content)
            };
            Some(said_by(old.source, &withdrawal?))
        };
        std::iter::from_fn(|| self.outdated.pop()).find_map(withdrawal)
    }

    fn is_current(&self, announced: &Announced) -> bool {
        let Situation { content, source, .. } = &self.situation;
        content.as_ref() == Some(&announced.content) && *source == Some(announced.source)
    }

    fn current(&self) -> Option<Announced> {
        Some(Announced { content: self.situation.content.clone()?, source: self.situation.source? })
    }

    /// Sets the time of the withdrawal, if the guest was told anything.
    fn withdraw_at(&mut self, at: Now) {
        self.at = self.announced.as_ref().map(|_| at);
    }

    fn encode(&mut self) {
        let mut message = Vec::new();
        if let (Some(content), Some(source)) = (&self.situation.content, self.situation.source) {
            content.encode(source, &mut message);
        }
        self.message = message.into();
    }
}

fn said_by(source: MacAddr, content: &Content) -> Advertisement<'static> {
    let mut message = Vec::new();
    content.encode(source, &mut message);
    Advertisement { source, message: Cow::Owned(message) }
}

/// A time between three quarters of `period` and all of it (RFC 4861 §6.2.4: uniformly distributed), by `random`.
fn jittered(period: Duration, random: u64) -> Duration {
    let quarter = period / 4;
    let part = (quarter.as_nanos() * u128::from(random)) >> u64::BITS;
    // Less than a quarter of a period, which in seconds fits 32 bits.
    (period - quarter + Duration::from_nanos(part as u64)).max(MIN_PERIOD)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::engine::testing::{OTHER, ROUTER, binding, config};

    const PERIOD: Duration = Duration::from_secs(600);
    const START: Now = Duration::from_secs(1000);
    const TAP: IfIndex = IfIndex::new(7).unwrap();

    fn content(subnets: &str) -> Content {
        let mut binding = binding();
        binding.ipv6.as_mut().unwrap().subnets = subnets.split(", ").map(|subnet| subnet.parse().unwrap()).collect();
        Content::new(&binding, &config()).unwrap()
    }

    fn red() -> Content {
        content("2001:db8:1::/64")
    }

    fn blue() -> Content {
        content("2001:db8:2::/64")
    }

    fn situation(content: Content) -> Situation {
        Situation { content: Some(content.into()), source: Some(ROUTER), tap: Some(TAP), period: PERIOD }
    }

    fn encoded(source: MacAddr, content: Content) -> (MacAddr, Vec<u8>) {
        let said = said_by(source, &content);
        (source, said.message.into_owned())
    }

    /// All that is sent now.
    fn drain(advertiser: &mut Advertiser, now: Now) -> Vec<(MacAddr, Vec<u8>)> {
        let mut sent = Vec::new();
        while let Some(advertisement) = advertiser.poll_transmit(now, 0) {
            sent.push((advertisement.source, advertisement.message.into_owned()));
        }
        sent
    }

    /// An advertiser whose guest was told of `red` at `START`.
    fn started() -> Advertiser {
        let mut advertiser = Advertiser::default();
        advertiser.set(START, situation(red()));
        assert_eq!(drain(&mut advertiser, START), [encoded(ROUTER, red())]);
        advertiser
    }

    #[test]
    fn says_nothing_without_content() {
        let mut advertiser = Advertiser::default();
        advertiser.set(START, Situation { content: None, ..situation(red()) });
        assert_eq!(advertiser.poll_timeout(), None);
        assert_eq!(advertiser.answer(), None);
        advertiser.removed(START);
        assert_eq!(advertiser.poll_timeout(), None);
    }

    #[test]
    fn waits_for_tap_and_source() {
        let mut advertiser = Advertiser::default();
        advertiser.set(START, Situation { tap: None, ..situation(red()) });
        assert_eq!(advertiser.poll_timeout(), None);
        advertiser.set(START, Situation { source: None, ..situation(red()) });
        assert_eq!(advertiser.poll_timeout(), None);
        assert_eq!(drain(&mut advertiser, START + PERIOD), []);
        let later = START + PERIOD;
        advertiser.set(later, situation(red()));
        assert_eq!(advertiser.poll_timeout(), Some(later));
        assert_eq!(drain(&mut advertiser, later), [encoded(ROUTER, red())]);
    }

    #[test]
    fn repeats_within_a_quarter_of_the_period() {
        for (random, wait) in [(0, 450_000), (u64::MAX / 2 + 1, 525_000), (u64::MAX, 599_999)] {
            let mut advertiser = Advertiser::default();
            advertiser.set(START, situation(red()));
            assert!(advertiser.poll_transmit(START, random).is_some());
            let next = advertiser.poll_timeout().unwrap();
            assert_eq!((next - START).as_millis(), wait);
            assert!(advertiser.poll_transmit(next - Duration::from_nanos(1), 0).is_none());
            assert_eq!(drain(&mut advertiser, next), [encoded(ROUTER, red())]);
        }
    }

    #[test]
    fn no_period_is_too_short_to_end() {
        let mut advertiser = Advertiser::default();
        advertiser.set(START, Situation { period: Duration::ZERO, ..situation(red()) });
        assert_eq!(drain(&mut advertiser, START).len(), 1);
        assert_eq!(advertiser.poll_timeout(), Some(START + MIN_PERIOD));
    }

    #[test]
    fn a_tap_made_anew_hears_at_once() {
        let mut advertiser = started();
        advertiser.set(START, Situation { tap: IfIndex::new(8), ..situation(red()) });
        assert_eq!(drain(&mut advertiser, START), [encoded(ROUTER, red())]);
    }

    #[test]
    fn no_news_changes_nothing() {
        let mut advertiser = started();
        let next = advertiser.poll_timeout();
        advertiser.set(START + PERIOD / 2, situation(red()));
        assert_eq!(advertiser.poll_timeout(), next);
    }

    #[test]
    fn a_shorter_period_holds_at_once() {
        let mut advertiser = started();
        let period = Duration::from_secs(10);
        advertiser.set(START, Situation { period, ..situation(red()) });
        assert_eq!(advertiser.poll_timeout(), Some(START + period));
    }

    #[test]
    fn new_content_comes_after_what_it_takes_back() {
        let mut advertiser = started();
        advertiser.set(START, situation(blue()));
        let withdrawal = Content::withdrawal(&red(), Some(&blue())).unwrap();
        let expected = [encoded(ROUTER, withdrawal), encoded(ROUTER, blue())];
        assert_eq!(drain(&mut advertiser, START), expected);
        assert_eq!(drain(&mut advertiser, START), []);
    }

    #[test]
    fn a_change_that_was_never_told_is_not_taken_back() {
        let mut advertiser = started();
        advertiser.set(START, situation(blue()));
        advertiser.set(START, situation(red()));
        assert_eq!(drain(&mut advertiser, START), [encoded(ROUTER, red())]);
    }

    /// {red, blue}, then red, then nothing of both; the pace allows no announcement in between.
    #[test]
    fn a_change_before_the_announcement_takes_back_what_outlived_the_withdrawal() {
        let both = content("2001:db8:1::/64, 2001:db8:2::/64");
        let mut advertiser = Advertiser::default();
        advertiser.set(START, situation(both.clone()));
        drain(&mut advertiser, START);
        advertiser.set(START, situation(red()));
        let sent = advertiser.poll_transmit(START, 0).map(|sent| (sent.source, sent.message.into_owned()));
        assert_eq!(sent, Some(encoded(ROUTER, Content::withdrawal(&both, Some(&red())).unwrap())));
        let green = content("2001:db8:3::/64");
        advertiser.set(START, situation(green.clone()));
        let withdrawal = Content::withdrawal(&red(), Some(&green)).unwrap();
        assert_eq!(drain(&mut advertiser, START), [encoded(ROUTER, withdrawal), encoded(ROUTER, green)]);
    }

    #[test]
    fn a_file_that_goes_before_the_announcement_takes_back_what_outlived_the_withdrawal() {
        let mut advertiser = started();
        advertiser.set(START, situation(blue()));
        assert!(advertiser.poll_transmit(START, 0).is_some());
        advertiser.removed(START);
        let withdrawal = Content::withdrawal(&blue(), None).unwrap();
        assert_eq!(drain(&mut advertiser, START + ABSENCE), [encoded(ROUTER, withdrawal)]);
    }

    #[test]
    fn what_was_told_on_request_alone_is_taken_back() {
        let withdrawal = |old: Content, new: Option<&Content>| Content::withdrawal(&old, new).unwrap();
        let mut advertiser = Advertiser::default();
        advertiser.set(START, situation(red()));
        advertiser.mark_told();
        advertiser.set(START, situation(blue()));
        let expected = [encoded(ROUTER, withdrawal(red(), Some(&blue()))), encoded(ROUTER, blue())];
        assert_eq!(drain(&mut advertiser, START), expected);

        // And so is what was announced before that.
        advertiser.set(START, situation(red()));
        advertiser.mark_told();
        advertiser.set(START, Situation { content: None, ..situation(red()) });
        let expected = [encoded(ROUTER, withdrawal(blue(), None)), encoded(ROUTER, withdrawal(red(), None))];
        assert_eq!(drain(&mut advertiser, START), expected);
        assert_eq!(advertiser.poll_timeout(), None);
    }

    #[test]
    fn what_is_announced_may_be_told_on_request_as_often_as_asked() {
        let mut advertiser = started();
        let next = advertiser.poll_timeout();
        advertiser.mark_told();
        assert_eq!((advertiser.poll_timeout(), advertiser.outdated.len()), (next, 0));
        assert_eq!(drain(&mut advertiser, START), []);
    }

    #[test]
    fn a_new_source_comes_after_a_farewell_of_the_old() {
        let mut advertiser = started();
        advertiser.set(START, Situation { source: None, ..situation(red()) });
        assert_eq!(drain(&mut advertiser, START), []);
        advertiser.set(START, Situation { source: Some(OTHER), ..situation(red()) });
        let farewell = Content::farewell(&red(), &red()).unwrap();
        let expected = [encoded(ROUTER, farewell), encoded(OTHER, red())];
        assert_eq!(drain(&mut advertiser, START), expected);
    }

    #[test]
    fn a_tap_that_comes_back_hears_at_once() {
        let mut advertiser = started();
        advertiser.set(START, Situation { tap: None, ..situation(red()) });
        assert_eq!(advertiser.poll_timeout(), None);
        advertiser.set(START, situation(red()));
        assert_eq!(drain(&mut advertiser, START), [encoded(ROUTER, red())]);
    }

    #[test]
    fn content_that_ends_is_withdrawn_at_once() {
        let mut advertiser = started();
        advertiser.set(START, Situation { content: None, ..situation(red()) });
        let withdrawal = Content::withdrawal(&red(), None).unwrap();
        assert_eq!(drain(&mut advertiser, START), [encoded(ROUTER, withdrawal)]);
        assert_eq!(advertiser.poll_timeout(), None);
    }

    #[test]
    fn a_file_that_stays_away_is_withdrawn_later() {
        let mut advertiser = started();
        let gone = Situation { content: None, ..situation(red()) };
        advertiser.removed(START);
        assert_eq!(advertiser.answer(), None);
        // Neither a second removal nor a change of the link moves the time.
        advertiser.removed(START + ABSENCE / 2);
        advertiser.set(START + ABSENCE / 2, gone);
        assert_eq!(advertiser.poll_timeout(), Some(START + ABSENCE));
        assert_eq!(drain(&mut advertiser, START + ABSENCE / 2), []);
        let withdrawal = Content::withdrawal(&red(), None).unwrap();
        let sent = drain(&mut advertiser, START + ABSENCE);
        assert_eq!(sent, [encoded(ROUTER, withdrawal)]);
    }

    #[test]
    fn a_file_that_comes_back_is_not_withdrawn() {
        let mut advertiser = started();
        advertiser.removed(START);
        advertiser.set(START, situation(red()));
        assert_eq!(drain(&mut advertiser, START), [encoded(ROUTER, red())]);
        assert_eq!(drain(&mut advertiser, START + ABSENCE), []);
    }

    #[test]
    fn a_file_that_comes_back_changed_takes_back_what_it_lost() {
        let mut advertiser = started();
        advertiser.removed(START);
        advertiser.set(START, situation(blue()));
        assert_eq!(drain(&mut advertiser, START).len(), 2);
    }

    #[test]
    fn a_tap_that_is_gone_hears_no_withdrawal() {
        let mut advertiser = started();
        advertiser.removed(START);
        advertiser.set(START, Situation { tap: None, ..Situation::default() });
        assert_eq!(drain(&mut advertiser, START + ABSENCE), []);
        assert_eq!(advertiser.poll_timeout(), None);
    }

    #[test]
    fn the_answer_follows_content_and_source() {
        let mut advertiser = started();
        advertiser.set(START, Situation { source: Some(OTHER), ..situation(blue()) });
        let answer = advertiser.answer().unwrap();
        assert_eq!((answer.source, answer.message.into_owned()), encoded(OTHER, blue()));
    }

    proptest! {
        /// Whatever happens: once all is sent, the guest knows what is so, and the next time lies ahead.
        #[test]
        fn the_last_word_is_the_answer(
            steps in prop::collection::vec((0..3u8, 0..3u8, any::<bool>(), any::<bool>()), 1..20)
        ) {
            let mut advertiser = Advertiser::default();
            let mut told = None;
            let mut now = START;
            for (content, source, is_there, is_removed) in steps {
                now += Duration::from_secs(1);
                let content = [None, Some(red()), Some(blue())][usize::from(content)].clone();
                let source = [None, Some(ROUTER), Some(OTHER)][usize::from(source)];
                let tap = is_there.then_some(TAP);
                if is_removed {
                    advertiser.removed(now);
                } else {
                    let content = content.map(Arc::new);
                    advertiser.set(now, Situation { content, source, tap, period: PERIOD });
                }
                let sent = drain(&mut advertiser, now);
                prop_assert!(sent.len() <= 2);
                told = sent.last().cloned().or(told);
                prop_assert!(advertiser.poll_timeout().is_none_or(|at| at > now));
                if !is_removed && is_there && let Some(answer) = advertiser.answer() {
                    prop_assert_eq!(Some((answer.source, answer.message.into_owned())), told.clone());
                }
            }
        }
    }
}
