//! A socket on which a running daemon is asked, from either end. Who may ask is a matter of the file's permissions: whoever started the
//! daemon, which is root as a rule, and one group if the configuration names one.

#![expect(clippy::disallowed_methods, clippy::disallowed_types, reason = "io is where the outside world is")]

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, lchown};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, UnixAddr, connect, socket};
use nix::sys::stat::{Mode, umask};
use nix::unistd::{Gid, Uid};

use super::succession::Succession;
use super::{directory, privileges};

/// A socket that was made.
#[derive(Debug)]
pub struct UnixSocket {
    path: PathBuf,
    /// What tells our socket from another of its name; None: unknown.
    identity: Option<Identity>,
}

/// Device, inode and time of making: an inode's number alone may be used again at once.
type Identity = (u64, u64, i64, i64);

fn identity(path: &Path) -> Option<Identity> {
    let found = fs::symlink_metadata(path).ok()?;
    Some((found.dev(), found.ino(), found.mtime(), found.mtime_nsec()))
}

impl UnixSocket {
    /// Makes the socket, which takes the place of one that a daemon left behind. A directory that is made for it belongs
    /// to whoever we are, and not to the user that the daemon runs as: another process of that user could put a socket of
    /// its own there and have root believe what it says. To be called while there is one thread only: for a moment the
    /// process makes files for nobody else.
    ///
    /// # Errors
    /// Among others if a daemon that lives listens there, if something else has that name, or if there is no such group.
    pub fn create(path: &Path, group: Option<&str>) -> io::Result<(Self, UnixListener)> {
        let group = group.map(group_id).transpose()?;
        if let Some(parent) = path.parent() {
            directory::make(parent, None)?;
        }
        let _lock = path.parent().and_then(lock);
        make_way(path)?;
        let listener = listen(path, if group.is_some() { 0o660 } else { 0o600 })?;
        let socket = Self { path: path.to_owned(), identity: identity(path) };
        listener.set_nonblocking(true)?;
        // The directory may be another user's by now: what the name stands for is not to be followed.
        if let Err(error) = lchown(path, None, group.map(Gid::as_raw)) {
            socket.remove()?;
            return Err(hint(error));
        }
        Ok((socket, listener))
    }

    /// Whether somebody besides root and us could put another socket in its place; in a sticky directory, where there is
    /// none of ours.
    pub fn is_replaceable(&self) -> bool {
        let directory = self.path.parent().and_then(|parent| fs::metadata(parent).ok());
        directory.is_some_and(|directory| {
            let is_others = directory.uid() != 0 && directory.uid() != Uid::effective().as_raw();
            is_others || directory.mode() & 0o022 != 0
        })
    }

    /// Removes the socket, if that is permitted. A socket that the next daemon made meanwhile stays.
    pub fn remove(self) -> io::Result<()> {
        if identity(&self.path) != self.identity {
            return Ok(());
        }
        fs::remove_file(&self.path)
    }
}

/// Connects to the daemon that listens there. One that lets nobody in, such as a stopped one with many callers, is waited for
/// no longer than `patience`.
///
/// # Errors
/// Those of connect(2); [`ErrorKind::WouldBlock`] means that time was up.
pub fn connect_within(path: &Path, patience: Duration) -> io::Result<UnixStream> {
    let caller = UnixStream::from(socket(AddressFamily::Unix, SockType::Stream, SockFlag::SOCK_CLOEXEC, None)?);
    // SO_SNDTIMEO of socket(7): connect(2) waits no longer either.
    caller.set_write_timeout(Some(patience))?;
    let address = UnixAddr::new(path)?;
    loop {
        match connect(caller.as_raw_fd(), &address) {
            // As where the program was stopped and goes on (signal(7)).
            Err(Errno::EINTR) => {}
            result => return Ok(result.map(|()| caller)?),
        }
    }
}

/// What to do about a group that the kernel does not let us give the socket to: root alone may name a group it is not in.
fn hint(error: io::Error) -> io::Error {
    if error.kind() == ErrorKind::PermissionDenied {
        let what =
            "nfdhcpd is not in control_group: give its unit SupplementaryGroups= with that group, or start as root";
        return io::Error::new(ErrorKind::PermissionDenied, what);
    }
    error
}

fn group_id(group: &str) -> io::Result<Gid> {
    let found = privileges::look_up_group(group).map_err(io::Error::other)?;
    found.ok_or_else(|| io::Error::new(ErrorKind::NotFound, format!("no group {group:?} on this machine")))
}

/// Keeps another daemon that starts from making way meanwhile: it could take our socket, not listened to yet or made just
/// now, for the one that it found dead.
///
/// Whoever may open the directory can hold the lock. So it is waited for, but must not keep us from a socket: None if it
/// cannot be had.
fn lock(directory: &Path) -> Option<File> {
    let directory = File::open(directory).ok()?;
    Succession::begin().take_over(|| directory.try_lock().map_err(io::Error::from)).ok()?;
    Some(directory)
}

/// Removes a socket that nobody listens to any more.
fn make_way(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.file_type().is_socket() => {}
        Ok(_) => return Err(io::Error::new(ErrorKind::AlreadyExists, "there is something else of this name")),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    }
    match try_to_connect(path) {
        Err(Errno::ECONNREFUSED) => match fs::remove_file(path) {
            // Its daemon was about to remove it.
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
            result => result,
        },
        Err(Errno::ENOENT) => Ok(()),
        // A daemon that is too busy for one caller more lives as well.
        Ok(()) | Err(Errno::EAGAIN) => Err(io::Error::new(ErrorKind::AddrInUse, "held by a daemon that still runs")),
        Err(error) => Err(error.into()),
    }
}

/// Does not wait, whatever the other side does.
fn try_to_connect(path: &Path) -> nix::Result<()> {
    let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
    let caller = socket(AddressFamily::Unix, SockType::Stream, flags, None)?;
    connect(caller.as_raw_fd(), &UnixAddr::new(path)?)
}

/// A socket that has these permissions from its first moment on.
fn listen(path: &Path, mode: u32) -> io::Result<UnixListener> {
    let mask = umask(Mode::from_bits_truncate(!mode & 0o777));
    let listener = UnixListener::bind(path);
    umask(mask);
    listener
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    /// A path in a directory that is not there yet.
    fn path(name: &str) -> PathBuf {
        let directory = std::env::temp_dir().join(format!("control-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&directory);
        directory.join("control.sock")
    }

    fn clean_up(path: &Path) {
        fs::remove_dir_all(path.parent().unwrap()).unwrap();
    }

    #[test]
    fn is_made_with_its_directory_and_removed() {
        let path = path("made");
        let (socket, listener) = UnixSocket::create(&path, None).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        let _caller = UnixStream::connect(&path).unwrap();
        listener.accept().unwrap();
        assert_eq!(listener.accept().unwrap_err().kind(), ErrorKind::WouldBlock);
        assert!(!socket.is_replaceable());
        fs::set_permissions(path.parent().unwrap(), fs::Permissions::from_mode(0o777)).unwrap();
        assert!(socket.is_replaceable());
        fs::set_permissions(path.parent().unwrap(), fs::Permissions::from_mode(0o1777)).unwrap();
        assert!(socket.is_replaceable());
        socket.remove().unwrap();
        assert!(!path.exists());
        clean_up(&path);
    }

    #[test]
    fn a_group_may_ask_and_nobody_else() {
        let path = path("group");
        let group = nix::unistd::getegid();
        let _socket = UnixSocket::create(&path, Some(&group.to_string())).unwrap();
        let metadata = fs::metadata(&path).unwrap();
        assert_eq!((metadata.mode() & 0o777, metadata.gid()), (0o660, group.as_raw()));
        clean_up(&path);
        let error = UnixSocket::create(&path, Some("no-such-group")).unwrap_err();
        assert!(error.to_string().contains("no-such-group") && !path.exists(), "{error}");
    }

    #[test]
    fn leaves_the_next_daemons_alone() {
        let path = path("next");
        let (first, listener) = UnixSocket::create(&path, None).unwrap();
        drop(listener);
        let (second, _listener) = UnixSocket::create(&path, None).unwrap();
        first.remove().unwrap();
        assert!(path.exists());
        second.remove().unwrap();
        assert!(!path.exists());
        clean_up(&path);
    }

    #[test]
    fn one_daemon_at_a_time_makes_way() {
        let path = path("lock");
        let (socket, _listener) = UnixSocket::create(&path, None).unwrap();
        let directory = path.parent().unwrap();
        let lock = lock(directory).unwrap();
        let other = File::open(directory).unwrap();
        other.try_lock().unwrap_err();
        drop(lock);
        other.try_lock().unwrap();
        socket.remove().unwrap();
        clean_up(&path);
    }

    #[test]
    fn takes_the_place_of_a_dead_daemons_and_of_nothing_else() {
        let path = path("taken");
        let first = UnixSocket::create(&path, None).unwrap();
        let error = UnixSocket::create(&path, None).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AddrInUse);
        drop(first);
        assert!(path.exists());
        let second = UnixSocket::create(&path, None).unwrap();
        drop(second);
        fs::remove_file(&path).unwrap();
        fs::write(&path, "a file").unwrap();
        let link = path.with_file_name("link.sock");
        symlink(&path, &link).unwrap();
        for other in [&path, &link] {
            let error = UnixSocket::create(other, None).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::AlreadyExists, "{other:?}");
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), "a file");
        clean_up(&path);
    }
}
