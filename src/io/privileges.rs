//! Giving up what the daemon does not need: another user, two capabilities, and no way back.
//!
//! Capabilities belong to threads, so this comes before the first other thread. CAP_NET_ADMIN stays, and with it
//! queues can be bound and links be read afterwards.

#![expect(clippy::disallowed_methods, reason = "io is where the outside world is")]

use std::fs;
use std::io;

use caps::{CapSet, Capability, CapsHashSet};
use nix::sys::prctl;
use nix::unistd::{self, Gid, Group, Uid, User};

/// NFQUEUE needs the first, the packet socket the second.
const KEPT: [Capability; 2] = [Capability::CAP_NET_ADMIN, Capability::CAP_NET_RAW];

/// Why privileges could not be given up: a system call failed.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action}: {source}")]
pub struct PrivilegeError {
    /// What was tried.
    pub action: &'static str,
    /// What the system said.
    pub source: io::Error,
}

/// Whom to run as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RunAs {
    /// This user and its primary group.
    User {
        /// The user's id.
        uid: Uid,
        /// The user's primary group.
        gid: Gid,
    },
    /// The user that started us, for this reason.
    Starter(&'static str),
}

impl RunAs {
    /// Finds out whom to run as when the configuration says `user`, a name or a uid. None: there is no such user, and
    /// it matters.
    pub fn find(user: &str) -> Result<Option<Self>, PrivilegeError> {
        if !unistd::geteuid().is_root() {
            return Ok(Some(Self::Starter("not started as root")));
        }
        Ok(look_up(user)?.map(|(uid, gid)| Self::choose(uid, gid)))
    }

    /// The user with these ids, if we can become it.
    fn choose(uid: Uid, gid: Gid) -> Self {
        let is_mapped = map_has("/proc/self/uid_map", uid.as_raw()) && map_has("/proc/self/gid_map", gid.as_raw());
        if !is_mapped {
            return Self::Starter("its id does not exist in this user namespace");
        }
        if is_setgroups_denied() {
            return Self::Starter("this user namespace does not let us give up supplementary groups");
        }
        Self::User { uid, gid }
    }

    /// The user and group that files of ours are to belong to; None: those of whoever started us.
    pub fn owner(&self) -> Option<(Uid, Gid)> {
        match self {
            Self::User { uid, gid } => Some((*uid, *gid)),
            Self::Starter(_) => None,
        }
    }

    /// Becomes that user, with CAP_NET_ADMIN and CAP_NET_RAW (as far as we have them) and no way to get others.
    pub fn drop_privileges(&self) -> Result<(), PrivilegeError> {
        narrow_bounding_set()?;
        if let Self::User { uid, gid } = self {
            become_user(*uid, *gid)?;
        }
        narrow_own_sets()?;
        prctl::set_no_new_privs().map_err(|e| failed("set no-new-privileges", e))
    }
}

/// Finds uid and primary group of a user, by name or else by number; None if there is no user of this name. A number
/// that belongs to nobody is as good as another, and stands for a group as well.
pub fn look_up(user: &str) -> Result<Option<(Uid, Gid)>, PrivilegeError> {
    let by_name = User::from_name(user).map_err(|e| failed("look up the user", e))?;
    if let Some(found) = by_name {
        return Ok(Some((found.uid, found.gid)));
    }
    // setresuid(2) takes the largest number for "as it is".
    let Some(number) = user.parse().ok().filter(|number| *number != u32::MAX) else { return Ok(None) };
    let by_number = User::from_uid(Uid::from_raw(number)).map_err(|e| failed("look up the user", e))?;
    let gid = by_number.map_or(Gid::from_raw(number), |found| found.gid);
    Ok(Some((Uid::from_raw(number), gid)))
}

/// Finds the id of a group, by name or else by number; None if there is no group of this name.
pub fn look_up_group(group: &str) -> Result<Option<Gid>, PrivilegeError> {
    let by_name = Group::from_name(group).map_err(|e| failed("look up the group", e))?;
    let number = || group.parse().ok().filter(|number| *number != u32::MAX).map(Gid::from_raw);
    Ok(by_name.map(|found| found.gid).or_else(number))
}

/// Whether a map of user_namespaces(7) has the id inside. A system without such maps has all ids.
fn map_has(path: &str, id: u32) -> bool {
    let Ok(map) = fs::read_to_string(path) else {
        return true;
    };
    map.lines().any(|line| is_in_range(line, id).unwrap_or(false))
}

/// Whether the user namespace forbids setgroups(2), which is so where an ordinary user made it.
fn is_setgroups_denied() -> bool {
    fs::read_to_string("/proc/self/setgroups").is_ok_and(|setting| setting.trim() == "deny")
}

/// Whether the id is in the range of a line: first id inside, first id outside, length.
fn is_in_range(line: &str, id: u32) -> Option<bool> {
    let mut columns = line.split_ascii_whitespace();
    let first: u64 = columns.next()?.parse().ok()?;
    let length: u64 = columns.nth(1)?.parse().ok()?;
    Some((first..first + length).contains(&u64::from(id)))
}

/// Takes from the bounding set what we may take; without CAP_SETPCAP that is nothing, and nothing could be gained
/// from the set either.
fn narrow_bounding_set() -> Result<(), PrivilegeError> {
    let has_setpcap = caps::has_cap(None, CapSet::Effective, Capability::CAP_SETPCAP);
    if !has_setpcap.map_err(|e| failed("read capabilities", e))? {
        return Ok(());
    }
    let all = caps::read(None, CapSet::Bounding).map_err(|e| failed("read capabilities", e))?;
    for capability in all.into_iter().filter(|c| !KEPT.contains(c)) {
        caps::drop(None, CapSet::Bounding, capability)
            .map_err(|e| failed("drop capabilities from the bounding set", e))?;
    }
    Ok(())
}

/// Becomes the user, keeping the permitted capabilities until [`narrow_own_sets`].
fn become_user(uid: Uid, gid: Gid) -> Result<(), PrivilegeError> {
    prctl::set_keepcaps(true).map_err(|e| failed("keep capabilities", e))?;
    unistd::setgroups(&[]).map_err(|e| failed("give up supplementary groups", e))?;
    unistd::setresgid(gid, gid, gid).map_err(|e| failed("change the group", e))?;
    unistd::setresuid(uid, uid, uid).map_err(|e| failed("change the user", e))?;
    prctl::set_keepcaps(false).map_err(|e| failed("stop keeping capabilities", e))
}

/// Keeps of the permitted capabilities those of [`KEPT`], makes them effective, and leaves none to be inherited.
fn narrow_own_sets() -> Result<(), PrivilegeError> {
    let permitted = caps::read(None, CapSet::Permitted).map_err(|e| failed("read capabilities", e))?;
    let kept: CapsHashSet = KEPT.into_iter().filter(|c| permitted.contains(c)).collect();
    let none = CapsHashSet::new();
    // The effective set first: the kernel wants it to be a part of the permitted one at every step.
    for (set, value) in
        [(CapSet::Ambient, &none), (CapSet::Effective, &kept), (CapSet::Permitted, &kept), (CapSet::Inheritable, &none)]
    {
        caps::set(None, set, value).map_err(|e| failed("reduce capabilities", e))?;
    }
    Ok(())
}

/// An error of a step.
fn failed(action: &'static str, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> PrivilegeError {
    PrivilegeError { action, source: io::Error::other(source) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_of_a_map() {
        let cases = [
            ("         0          0 4294967295", 0, Some(true)),
            ("         0          0 4294967295", 65534, Some(true)),
            ("         0       1000          1", 0, Some(true)),
            ("         0       1000          1", 1, Some(false)),
            ("    100000     200000      65536", 165_535, Some(true)),
            ("    100000     200000      65536", 165_536, Some(false)),
            ("nonsense", 0, None),
            ("", 0, None),
        ];
        for (line, id, expected) in cases {
            assert_eq!(is_in_range(line, id), expected, "{line:?} {id}");
        }
    }

    #[test]
    fn users_by_name_and_number() {
        let root = (Uid::from_raw(0), Gid::from_raw(0));
        for (user, expected) in [
            ("root", Some(root)),
            ("0", Some(root)),
            ("no-such\nuser", None),
            ("", None),
            ("-1", None),
            ("4294967294", Some((Uid::from_raw(4_294_967_294), Gid::from_raw(4_294_967_294)))),
            ("4294967295", None),
        ] {
            assert_eq!(look_up(user).unwrap(), expected, "{user:?}");
        }
    }

    #[test]
    fn groups_by_name_and_number() {
        for (group, expected) in [
            ("root", Some(0)),
            ("0", Some(0)),
            ("4294967294", Some(4_294_967_294)),
            ("4294967295", None),
            ("no\n", None),
        ] {
            assert_eq!(look_up_group(group).unwrap(), expected.map(Gid::from_raw), "{group:?}");
        }
    }
}
