//! What happens to bindings, taps and the configuration: one change at a time, as chance has it.

use std::fs;
use std::time::Duration;

use super::directory::{BAD, Tap};
use super::random::Random;
use super::site::Site;
use crate::exchange::Client;
use crate::net::Guest;

/// Taps that come and go, with a guest each.
const GUESTS: u16 = 8;
/// Bindings that come and go, of taps that are not there.
const ABSENT: u16 = 64;
/// The first number of each.
const FIRST: [u16; 2] = [100, 200];

/// How long a tap may be without an answer, on a machine that is busy with other things.
const PATIENCE: Duration = Duration::from_secs(20);

/// What makes a binding file bad, in place of what is there.
const MISTAKES: [&str; 4] = ["MAC=aa:00:00:00:00\n", "IP=192.0.2.300\n", "SUBNET=198.51.100.0/24\n", "EUI64=none\n"];

/// A kind of change, of the place that chance chose. Returns what went wrong.
type Change = fn(&mut Changes, &mut Site) -> Option<String>;

/// What happens, and how often beside the others.
const CHANGES: &[(u64, Change)] = &[
    (20, Changes::write),
    (10, Changes::rename_in),
    (10, Changes::write_again),
    (8, Changes::remove),
    (5, Changes::rename_away),
    (6, Changes::spoil),
    (2, Changes::write_all),
    (12, Changes::plug_or_unplug),
    (12, Changes::ask),
    (1, Changes::reload),
];

/// Guests that come and go.
pub(super) struct Changes {
    places: Vec<Place>,
    random: Random,
    /// How many changes there were.
    pub(super) count: u64,
    /// Counts what is written, so that each text is another.
    revision: u64,
}

struct Place {
    guest: Guest,
    /// Whether its tap is there; None if it never is.
    plugged: Option<bool>,
}

impl Changes {
    /// All guests plugged in, and no bindings yet.
    pub(super) fn new(site: &Site, random: Random) -> Self {
        let plugged = (0..GUESTS).map(|at| (site.node.guest(FIRST[0] + at), Some(true)));
        let absent = (0..ABSENT).map(|at| (site.node.absent_guest(FIRST[1] + at), None));
        let places = plugged.chain(absent).map(|(guest, plugged)| Place { guest, plugged }).collect();
        Self { places, random, count: 0, revision: 0 }
    }

    /// Makes the next change, and returns what went wrong.
    pub(super) fn next(&mut self, site: &mut Site) -> Option<String> {
        self.count += 1;
        let change = *self.random.choose(CHANGES);
        change(self, site)
    }

    /// The guests whose taps are there.
    pub(super) fn plugged(&self) -> impl Iterator<Item = &Guest> {
        self.places.iter().filter(|place| place.plugged == Some(true)).map(|place| &place.guest)
    }

    /// Writes a file, or writes it anew in place.
    fn write(&mut self, site: &mut Site) -> Option<String> {
        let (path, text) = self.any_file(site);
        fs::write(path, text).unwrap();
        None
    }

    /// Writes a file beside, and renames it.
    fn rename_in(&mut self, site: &mut Site) -> Option<String> {
        let (path, text) = self.any_file(site);
        let beside = format!("{}/.new", site.bindings);
        fs::write(&beside, text).unwrap();
        fs::rename(beside, path).unwrap();
        None
    }

    /// Removes a file, and writes it at once, as hooks do.
    fn write_again(&mut self, site: &mut Site) -> Option<String> {
        let (path, text) = self.any_file(site);
        let _ = fs::remove_file(&path);
        fs::write(path, text).unwrap();
        None
    }

    fn remove(&mut self, site: &mut Site) -> Option<String> {
        // It may not be there.
        let _ = fs::remove_file(self.any_file(site).0);
        None
    }

    fn rename_away(&mut self, site: &mut Site) -> Option<String> {
        let _ = fs::rename(self.any_file(site).0, format!("{}/.old", site.bindings));
        None
    }

    /// Writes what has to be rejected.
    fn spoil(&mut self, site: &mut Site) -> Option<String> {
        let (path, text) = self.any_file(site);
        let mistake = MISTAKES[self.random.below(MISTAKES.len() as u64) as usize];
        // The last of several lines counts.
        fs::write(path, format!("{BAD}\n{text}{mistake}")).unwrap();
        None
    }

    /// Writes every file anew, as fast as it can be done.
    fn write_all(&mut self, site: &mut Site) -> Option<String> {
        for at in 0..self.places.len() {
            let (path, text) = self.file(at, site);
            fs::write(path, text).unwrap();
        }
        None
    }

    /// Takes a tap away, or brings it back: another interface of the same name.
    fn plug_or_unplug(&mut self, site: &mut Site) -> Option<String> {
        let at = self.random.below(GUESTS.into()) as usize;
        let Place { guest, plugged } = &mut self.places[at];
        let is_plugged = plugged.as_mut()?;
        if *is_plugged {
            site.node.unplug(guest)
        } else {
            site.node.plug(guest)
        }
        *is_plugged = !*is_plugged;
        None
    }

    /// Has a guest ask whose binding is good and whose tap is there: it gets its lease, whatever happened before.
    fn ask(&mut self, site: &mut Site) -> Option<String> {
        let at = self.random.below(GUESTS.into()) as usize;
        let guest = &self.places[at].guest;
        let text = fs::read(format!("{}/{}", site.bindings, guest.tap)).ok()?;
        let tap = Tap::new(&String::from_utf8_lossy(&text), self.places[at].plugged?);
        if tap.hostname.is_none() || !tap.is_there {
            return None;
        }
        let lease = Client::new(guest).lease(PATIENCE);
        lease.is_none().then(|| format!("{} had no lease for {PATIENCE:?}", guest.tap))
    }

    fn reload(&mut self, site: &mut Site) -> Option<String> {
        site.reload(3_600 + self.random.below(1_000) as u32);
        None
    }

    /// The path of any place's file, and a new text for it.
    fn any_file(&mut self, site: &Site) -> (String, String) {
        let at = self.random.below(self.places.len() as u64) as usize;
        self.file(at, site)
    }

    /// The path of a place's file, and a new text for it: with another name of the guest, and servers, more or fewer.
    fn file(&mut self, at: usize, site: &Site) -> (String, String) {
        self.revision += 1;
        let guest = &self.places[at].guest;
        let servers: Vec<_> = (0..self.random.below(8)).map(|number| format!("192.0.2.{number}")).collect();
        let text = format!(
            "{}HOSTNAME=revision{}\nMTU={}\nNAMESERVERS={}\n",
            guest.binding().replace("HOSTNAME=", "TAGS="),
            self.revision,
            1_280 + self.random.below(200),
            servers.join(", "),
        );
        (format!("{}/{}", site.bindings, guest.tap), text)
    }
}
