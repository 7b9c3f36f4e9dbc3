//! The watch over real directories.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use nix::fcntl::{AT_FDCWD, RenameFlags, renameat2};
use nix::sys::stat::Mode;
use nix::unistd::{Uid, chown, geteuid, mkfifo, setfsuid};
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;

use super::{CHECK_PERIOD, LOOKS, SLOW_CHECK_PERIOD, Told, Watch};
use crate::engine::Event;

/// How long something may take to be told.
const PATIENCE: Duration = Duration::from_secs(10);

/// A directory of its own for a test, removed at its end.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("watch-{}-{count}", std::process::id()));
        fs::create_dir_all(path.join("parent").join("bindings")).unwrap();
        fs::create_dir(path.join("elsewhere")).unwrap();
        Self(path)
    }

    /// A file in the watched directory.
    fn file(&self, name: &str) -> PathBuf {
        self.directory().join(name)
    }

    fn directory(&self) -> PathBuf {
        self.parent().join("bindings")
    }

    fn parent(&self) -> PathBuf {
        self.0.join("parent")
    }

    /// A file outside, on the same file system.
    fn elsewhere(&self, name: &str) -> PathBuf {
        self.0.join("elsewhere").join(name)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A watch, and what it told.
struct Watched {
    watch: Watch,
    runtime: Runtime,
}

impl Watched {
    /// Opens a watch; returns also what it found.
    fn open(directory: &Path) -> (Self, Vec<String>) {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let mut watch = runtime.block_on(async { Watch::open(directory) }).unwrap();
        let told: Vec<Told> = std::iter::from_fn(|| watch.poll_scan()).flatten().collect();
        (Self { watch, runtime }, sorted(&told))
    }

    fn poll(&mut self) -> Vec<Told> {
        let _context = self.runtime.enter();
        self.watch.poll()
    }

    /// Whether something wakes it now. The kernel tells of what happened before this does.
    fn is_woken(&mut self) -> bool {
        self.runtime.block_on(async { timeout(Duration::from_millis(1), self.watch.changed()).await }).is_ok()
    }

    /// Has the watch believe that so much time went by.
    fn pass(&mut self, time: Duration) {
        self.watch.start -= time;
    }

    /// Waits until exactly this has been told since the last call, in the order of the text.
    #[track_caller]
    fn expect(&mut self, expected: &[&str]) {
        let start = Instant::now();
        let mut told = Vec::new();
        while told.len() < expected.len() && start.elapsed() < PATIENCE {
            let _ = self.runtime.block_on(async { timeout(PATIENCE, self.watch.changed()).await });
            told.extend(self.poll());
        }
        assert_eq!(sorted(&told), expected);
    }
}

/// Permissions bind this thread, as they bind a daemon that gave up its privileges.
struct Unprivileged(Uid);

impl Unprivileged {
    /// For a user to whom these directories belong.
    fn over(directories: &[&Path]) -> Self {
        let starter = geteuid();
        let user = if starter.is_root() { Uid::from_raw(12_345) } else { starter };
        for directory in directories {
            chown(*directory, Some(user), None).unwrap();
        }
        setfsuid(user);
        Self(starter)
    }
}

impl Drop for Unprivileged {
    fn drop(&mut self) {
        setfsuid(self.0);
    }
}

/// What was told, in short: `+tap hostname`, `!tap`, `-tap`, and words for the rest.
fn sorted(told: &[Told]) -> Vec<String> {
    let mut short: Vec<String> = told.iter().map(short).collect();
    short.sort();
    short
}

fn short(told: &Told) -> String {
    match told {
        Told::Event(Event::BindingLoaded(binding)) => format!("+{} {}", binding.tap, binding.hostname),
        Told::Event(Event::BindingRejected(tap, _)) => format!("!{tap}"),
        Told::Event(Event::BindingRemoved(tap)) => format!("-{tap}"),
        Told::Event(other) => panic!("{other:?}"),
        Told::Warning(error) => format!("warning: {}", error.path.file_name().unwrap().display()),
        Told::DirectoryGone(_) => "gone".to_owned(),
        Told::DirectoryBack => "back".to_owned(),
    }
}

/// The text of a binding file.
fn binding(hostname: &str) -> String {
    format!("MAC=aa:00:00:00:00:01\nHOSTNAME={hostname}\n")
}

#[test]
fn the_first_scan_finds_bindings_and_nothing_else() {
    let scratch = Scratch::new();
    let write = |name: &str, text: &str| fs::write(scratch.file(name), text).unwrap();
    write("tap0", &binding("zero"));
    write("tap1", "HOSTNAME=without-mac\n");
    write("tap2", &"#".repeat(100_000));
    for ignored in [".tap3", "tap3~", "tap3.swp", "tap3.tmp", "tap3.dpkg-new"] {
        write(ignored, &binding("temporary"));
    }
    write("no interface", &binding("spaced"));
    fs::create_dir(scratch.file("tap4")).unwrap();
    mkfifo(&scratch.file("tap5"), Mode::S_IRWXU).unwrap();
    symlink(scratch.file("tap0"), scratch.file("tap6")).unwrap();
    symlink("nowhere", scratch.file("tap7")).unwrap();
    symlink("tap8", scratch.file("tap8")).unwrap();
    symlink("/dev/tty", scratch.file("tap9")).unwrap();
    // A regular file whose reading fails.
    symlink("/proc/self/mem", scratch.file("tap10")).unwrap();

    let (_, told) = Watched::open(&scratch.directory());
    assert_eq!(told, ["!tap1", "!tap10", "!tap2", "+tap0 zero", "+tap6 zero", "warning: no interface"]);
}

#[test]
fn without_a_directory_there_is_no_watch() {
    let scratch = Scratch::new();
    fs::write(scratch.file("file"), "").unwrap();
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let _context = runtime.enter();
    for path in ["missing", "file"] {
        assert!(Watch::open(&scratch.file(path)).is_err(), "{path}");
    }
}

#[test]
fn every_way_of_writing_and_removing_is_seen() {
    let scratch = Scratch::new();
    let tap = scratch.file("tap0");
    let other = scratch.elsewhere("tap0");
    let (mut watched, _) = Watched::open(&scratch.directory());

    fs::write(&tap, binding("created")).unwrap();
    watched.expect(&["+tap0 created"]);
    fs::write(&tap, binding("rewritten")).unwrap();
    watched.expect(&["+tap0 rewritten"]);
    fs::write(&other, binding("renamed-in")).unwrap();
    fs::rename(&other, &tap).unwrap();
    watched.expect(&["+tap0 renamed-in"]);
    fs::rename(&tap, &other).unwrap();
    watched.expect(&["-tap0"]);
    fs::hard_link(&other, &tap).unwrap();
    watched.expect(&["+tap0 renamed-in"]);
    fs::remove_file(&tap).unwrap();
    watched.expect(&["-tap0"]);
    symlink(&other, &tap).unwrap();
    watched.expect(&["+tap0 renamed-in"]);
    fs::rename(&tap, scratch.file("tap1")).unwrap();
    watched.expect(&["+tap1 renamed-in", "-tap0"]);
}

#[test]
fn a_file_becomes_a_binding_when_it_is_made_readable() {
    let scratch = Scratch::new();
    let tap = scratch.file("tap0");
    let (mut watched, _) = Watched::open(&scratch.directory());
    fs::write(&tap, binding("first")).unwrap();
    watched.expect(&["+tap0 first"]);
    // Written through another name, so that only the change of the mode tells of it.
    let other = scratch.elsewhere("link");
    fs::hard_link(&tap, &other).unwrap();
    fs::write(&other, binding("second")).unwrap();
    fs::set_permissions(&tap, Permissions::from_mode(0o640)).unwrap();
    watched.expect(&["+tap0 second"]);
}

#[test]
fn what_does_not_change_says_nothing() {
    let scratch = Scratch::new();
    let tap = scratch.file("tap0");
    fs::write(&tap, "nonsense").unwrap();
    let (mut watched, told) = Watched::open(&scratch.directory());
    assert_eq!(told, ["!tap0"]);
    fs::write(&tap, "nonsense").unwrap();
    fs::set_permissions(&tap, Permissions::from_mode(0o600)).unwrap();
    fs::write(scratch.file("tap1"), binding("one")).unwrap();
    watched.expect(&["+tap1 one"]);
}

#[test]
fn lost_changes_are_found_by_reading_everything() {
    let scratch = Scratch::new();
    for tap in ["tap0", "tap1", "tap2"] {
        fs::write(scratch.file(tap), binding("old")).unwrap();
    }
    let (mut watched, told) = Watched::open(&scratch.directory());
    assert_eq!(told.len(), 3);
    fs::remove_file(scratch.file("tap0")).unwrap();
    fs::write(scratch.file("tap1"), binding("new")).unwrap();
    fs::write(scratch.file("tap3"), binding("new")).unwrap();
    watched.watch.guard.as_mut().unwrap().pending.note_overflow();
    assert_eq!(sorted(&watched.poll()), ["+tap1 new", "+tap3 new", "-tap0"]);
    // What inotify tells of it later is no news.
    fs::write(scratch.file("tap4"), binding("last")).unwrap();
    watched.expect(&["+tap4 last"]);
}

#[test]
fn the_directory_may_go_and_come_back() {
    let scratch = Scratch::new();
    let directory = scratch.directory();
    fs::write(scratch.file("tap0"), binding("zero")).unwrap();
    let (mut watched, _) = Watched::open(&directory);

    fs::rename(&directory, scratch.elsewhere("bindings")).unwrap();
    watched.expect(&["-tap0", "gone"]);
    // What happens in the directory that was moved away is none of our business.
    fs::write(scratch.elsewhere("bindings").join("tap9"), binding("stray")).unwrap();
    fs::create_dir(&directory).unwrap();
    watched.expect(&["back"]);
    fs::write(scratch.file("tap1"), binding("one")).unwrap();
    watched.expect(&["+tap1 one"]);

    fs::remove_dir_all(&directory).unwrap();
    watched.expect(&["-tap1", "gone"]);
    fs::rename(scratch.elsewhere("bindings"), &directory).unwrap();
    watched.expect(&["+tap0 zero", "+tap9 stray", "back"]);
}

#[test]
fn the_parent_may_go_as_well() {
    let scratch = Scratch::new();
    fs::write(scratch.file("tap0"), binding("zero")).unwrap();
    let (mut watched, _) = Watched::open(&scratch.directory());
    fs::rename(scratch.parent(), scratch.elsewhere("parent")).unwrap();
    watched.expect(&["-tap0", "gone"]);
    fs::rename(scratch.elsewhere("parent"), scratch.parent()).unwrap();
    watched.expect(&["+tap0 zero", "back"]);
}

#[test]
fn each_step_of_the_way_may_go_and_come_back() {
    let scratch = Scratch::new();
    let way = scratch.0.join("way");
    fs::create_dir(scratch.0.join("deep")).unwrap();
    symlink("deep/../parent", &way).unwrap();
    fs::write(scratch.file("tap0"), binding("zero")).unwrap();
    let (mut watched, told) = Watched::open(&way.join("bindings"));
    assert_eq!(told, ["+tap0 zero"]);

    // A link that leads elsewhere, whether to nothing or to another directory.
    fs::create_dir(scratch.elsewhere("bindings")).unwrap();
    fs::write(scratch.elsewhere("bindings").join("tap1"), binding("one")).unwrap();
    fs::remove_file(&way).unwrap();
    watched.expect(&["-tap0", "gone"]);
    symlink(scratch.0.join("elsewhere"), &way).unwrap();
    watched.expect(&["+tap1 one", "back"]);
    symlink("parent", scratch.0.join("new")).unwrap();
    fs::rename(scratch.0.join("new"), &way).unwrap();
    watched.expect(&["+tap0 zero", "-tap1"]);

    // What is two steps above.
    let moved = scratch.0.with_extension("moved");
    fs::rename(&scratch.0, &moved).unwrap();
    watched.expect(&["-tap0", "gone"]);
    fs::rename(&moved, &scratch.0).unwrap();
    watched.expect(&["+tap0 zero", "back"]);
}

#[test]
fn two_directories_may_change_places() {
    let scratch = Scratch::new();
    fs::write(scratch.file("tap0"), binding("zero")).unwrap();
    let other = scratch.elsewhere("other");
    fs::create_dir(&other).unwrap();
    fs::write(other.join("tap1"), binding("one")).unwrap();
    let (mut watched, _) = Watched::open(&scratch.directory());
    let flags = RenameFlags::RENAME_EXCHANGE;
    renameat2(AT_FDCWD, &other, AT_FDCWD, &scratch.directory(), flags).unwrap();
    watched.expect(&["+tap1 one", "-tap0"]);
}

#[test]
fn nobody_wakes_it_without_need() {
    let scratch = Scratch::new();
    let tap = scratch.file("tap0");
    fs::write(&tap, binding("zero")).unwrap();
    let (mut watched, _) = Watched::open(&scratch.directory());
    assert_eq!(watched.watch.next_due(), None, "no clock");
    // Somebody else may mount something at the same time, which does wake it.
    let is_left_alone = (0..10).any(|_| {
        fs::read(&tap).unwrap();
        fs::read_dir(scratch.directory()).unwrap().for_each(drop);
        fs::write(scratch.parent().join("file"), "").unwrap();
        fs::write(scratch.0.join("file"), "").unwrap();
        let is_left_alone = !watched.is_woken();
        assert!(watched.watch.poll().is_empty());
        is_left_alone
    });
    assert!(is_left_alone);
    fs::write(&tap, binding("changed")).unwrap();
    assert!(watched.is_woken());
    watched.expect(&["+tap0 changed"]);
    assert_eq!((watched.is_woken(), watched.watch.next_due()), (false, None), "its own reading is no news");
}

#[test]
fn a_way_that_cannot_be_watched_is_checked_now_and_then() {
    let scratch = Scratch::new();
    let parent = scratch.parent();
    fs::write(scratch.file("tap0"), binding("zero")).unwrap();
    let _unprivileged = Unprivileged::over(&[&scratch.0, &parent, &scratch.directory(), &scratch.elsewhere("")]);
    // It may be passed, but not read, and so not watched.
    fs::set_permissions(&parent, Permissions::from_mode(0o311)).unwrap();
    let (mut watched, told) = Watched::open(&scratch.directory());
    assert_eq!(told, ["+tap0 zero"]);
    let is_near = |due| (SLOW_CHECK_PERIOD..SLOW_CHECK_PERIOD + PATIENCE).contains(&due);
    assert!(watched.watch.next_due().is_some_and(is_near));
    fs::rename(&parent, scratch.elsewhere("parent")).unwrap();
    watched.pass(SLOW_CHECK_PERIOD);
    watched.expect(&["-tap0", "gone"]);
    fs::rename(scratch.elsewhere("parent"), &parent).unwrap();
    watched.expect(&["+tap0 zero", "back"]);
}

#[test]
fn permissions_may_be_lost_and_regained() {
    let scratch = Scratch::new();
    let (parent, directory) = (scratch.parent(), scratch.directory());
    let chmod = |path: &Path, mode| fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    fs::write(scratch.file("tap0"), binding("zero")).unwrap();
    fs::write(scratch.elsewhere("tap1"), binding("one")).unwrap();
    let elsewhere = scratch.elsewhere("");
    let _unprivileged = Unprivileged::over(&[&scratch.0, &parent, &directory, &elsewhere]);
    let (mut watched, _) = Watched::open(&directory);

    chmod(&parent, 0o600);
    watched.expect(&["-tap0", "gone"]);
    chmod(&parent, 0o700);
    watched.expect(&["+tap0 zero", "back"]);

    // A file behind a link: nothing tells when the way to it is open.
    chmod(&elsewhere, 0o600);
    symlink(elsewhere.join("tap1"), scratch.file("tap1")).unwrap();
    watched.expect(&["!tap1"]);
    chmod(&elsewhere, 0o700);
    watched.pass(CHECK_PERIOD);
    watched.expect(&["+tap1 one"]);
    assert_eq!(watched.watch.next_due(), None);
}

#[test]
fn many_changes_are_looked_at_a_few_at_a_time() {
    let scratch = Scratch::new();
    let (mut watched, _) = Watched::open(&scratch.directory());
    let taps = 3 * LOOKS;
    for number in 0..taps {
        fs::write(scratch.file(&format!("tap{number}")), binding("many")).unwrap();
    }
    let largest = |watched: &mut Watched| {
        let (mut sum, mut largest) = (0, 0);
        while sum < taps {
            watched.runtime.block_on(async { timeout(PATIENCE, watched.watch.changed()).await }).unwrap();
            let told = watched.poll().len();
            sum += told;
            largest = largest.max(told);
        }
        largest
    };
    assert!(largest(&mut watched) <= LOOKS, "changes one by one");
    for number in 0..taps {
        fs::write(scratch.file(&format!("tap{number}")), binding("again")).unwrap();
    }
    watched.watch.guard.as_mut().unwrap().pending.note_overflow();
    assert!(largest(&mut watched) <= LOOKS, "changes found by a scan");
}
