//! The watch over real directories.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use tokio::runtime::{Builder, Runtime};

use super::{Guard, Told, Watch};
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
        let (watch, told) = Watch::open(directory).unwrap();
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        (Self { watch, runtime }, sorted(&told))
    }

    /// Waits until exactly this has been told since the last call, in the order of the text.
    #[track_caller]
    fn expect(&mut self, expected: &[&str]) {
        let start = Instant::now();
        let mut told = Vec::new();
        while told.len() < expected.len() && start.elapsed() < PATIENCE {
            self.runtime.block_on(self.watch.changed());
            told.extend(self.watch.poll());
        }
        assert_eq!(sorted(&told), expected);
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
        Told::DirectoryGone => "gone".to_owned(),
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
    assert!(Watch::open(&scratch.file("missing")).is_err());
    fs::write(scratch.file("file"), "").unwrap();
    assert!(Watch::open(&scratch.file("file")).is_err());
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
    let Guard::Directory { sentry, .. } = &watched.watch.guard else { panic!("not watched") };
    sentry.lock().pending.note_overflow();
    assert_eq!(sorted(&watched.watch.poll()), ["+tap1 new", "+tap3 new", "-tap0"]);
    // What notify tells of it later is no news.
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
