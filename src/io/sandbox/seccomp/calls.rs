//! Which system calls the daemon makes, with glibc and with musl.
//!
//! Generous with what harms nobody, so that a newer C library finds what it likes; strict with what makes processes, runs
//! programs, opens sockets, or makes memory executable.

use std::collections::BTreeMap;
use std::io;

use libc::{c_int, c_long};
use seccompiler::SeccompCmpArgLen::{Dword, Qword};
use seccompiler::SeccompCmpOp::{Eq, Le, MaskedEq};
use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule,
};

use crate::io::sandbox::needs::Needs;
use crate::io::supervisor::Listener;

/// Calls that are allowed whatever their arguments.
#[rustfmt::skip]
const FREE: &[c_long] = &[
    // Descriptors that are open. The packet path: epoll_wait or epoll_pwait, recvmmsg, sendmmsg, sendto, getsockopt, read
    // and write. What has no condition on its arguments is allowed by a bitmap (Linux 5.11), and no filter runs.
    libc::SYS_read, libc::SYS_readv, libc::SYS_pread64, libc::SYS_preadv, libc::SYS_preadv2,
    libc::SYS_write, libc::SYS_writev, libc::SYS_pwrite64, libc::SYS_pwritev, libc::SYS_pwritev2,
    libc::SYS_lseek, libc::SYS_close, libc::SYS_close_range, libc::SYS_dup, libc::SYS_dup3, libc::SYS_pipe2,
    libc::SYS_fsync, libc::SYS_fdatasync, libc::SYS_ftruncate, libc::SYS_flock,
    libc::SYS_ppoll, libc::SYS_pselect6, libc::SYS_eventfd2,
    libc::SYS_epoll_create1, libc::SYS_epoll_ctl, libc::SYS_epoll_pwait, libc::SYS_epoll_pwait2,
    libc::SYS_timerfd_create, libc::SYS_timerfd_settime, libc::SYS_timerfd_gettime, libc::SYS_signalfd4,
    // Sockets that are open. Which may be opened, see `guarded`.
    libc::SYS_recvfrom, libc::SYS_recvmsg, libc::SYS_recvmmsg, libc::SYS_sendto, libc::SYS_sendmsg, libc::SYS_sendmmsg,
    libc::SYS_accept, libc::SYS_accept4, libc::SYS_bind, libc::SYS_connect, libc::SYS_shutdown,
    libc::SYS_getsockopt, libc::SYS_setsockopt, libc::SYS_getsockname, libc::SYS_getpeername,
    // Files by their names. Which, and whether one may be removed, is for Landlock and permissions to say.
    libc::SYS_newfstatat, libc::SYS_fstat, libc::SYS_statx, libc::SYS_statfs, libc::SYS_fstatfs,
    libc::SYS_readlinkat, libc::SYS_faccessat, libc::SYS_faccessat2, libc::SYS_getdents64, libc::SYS_getcwd,
    libc::SYS_unlinkat,
    libc::SYS_inotify_init1, libc::SYS_inotify_add_watch, libc::SYS_inotify_rm_watch,
    // Memory. What may be executed, see `guarded`.
    libc::SYS_brk, libc::SYS_munmap, libc::SYS_mremap, libc::SYS_madvise, libc::SYS_membarrier,
    // Threads.
    libc::SYS_futex, libc::SYS_futex_waitv, libc::SYS_set_robust_list, libc::SYS_get_robust_list,
    libc::SYS_rseq, libc::SYS_sched_yield, libc::SYS_sched_getaffinity,
    libc::SYS_exit, libc::SYS_exit_group, libc::SYS_restart_syscall, libc::SYS_clone3,
    libc::SYS_rt_sigaction, libc::SYS_rt_sigprocmask, libc::SYS_rt_sigreturn, libc::SYS_rt_sigpending,
    libc::SYS_rt_sigsuspend, libc::SYS_rt_sigtimedwait, libc::SYS_sigaltstack,
    // Time and chance.
    libc::SYS_clock_gettime, libc::SYS_clock_getres, libc::SYS_clock_nanosleep, libc::SYS_nanosleep,
    libc::SYS_gettimeofday, libc::SYS_getrandom,
    // Who and where we are.
    libc::SYS_getpid, libc::SYS_getppid, libc::SYS_gettid, libc::SYS_getuid, libc::SYS_geteuid, libc::SYS_getgid,
    libc::SYS_getegid, libc::SYS_getgroups, libc::SYS_getresuid, libc::SYS_getresgid, libc::SYS_capget,
    libc::SYS_getcpu, libc::SYS_getrusage, libc::SYS_times, libc::SYS_sysinfo, libc::SYS_uname,
];

/// Older ways to say the same, which newer processors do not have.
#[cfg(target_arch = "x86_64")]
#[rustfmt::skip]
const OLDER: &[c_long] = &[
    libc::SYS_poll, libc::SYS_select, libc::SYS_epoll_create, libc::SYS_epoll_wait, libc::SYS_eventfd, libc::SYS_pipe,
    libc::SYS_dup2, libc::SYS_stat, libc::SYS_lstat, libc::SYS_readlink, libc::SYS_access, libc::SYS_unlink,
    libc::SYS_inotify_init, libc::SYS_time, libc::SYS_pause,
];
#[cfg(not(target_arch = "x86_64"))]
const OLDER: &[c_long] = &[];

/// What an argument has to be: its number, how much of it counts, and how it is compared.
type Check = (u8, SeccompCmpArgLen, SeccompCmpOp, u64);
/// A call, and checks of which all must hold. A call may be there more than once; then one of them is enough.
type Guarded = (c_long, Vec<Check>);

/// A filter of the calls that the daemon makes: all others fail with EPERM.
pub(super) fn allowed(needs: &Needs<'_>) -> io::Result<BpfProgram> {
    let mut rules: BTreeMap<c_long, Vec<SeccompRule>> = BTreeMap::new();
    for (call, checks) in guarded(needs) {
        let checks = checks
            .into_iter()
            .map(|(argument, length, how, value)| SeccompCondition::new(argument, length, how, value));
        let rule = checks.collect::<Result<_, _>>().and_then(SeccompRule::new).map_err(io::Error::other)?;
        rules.entry(call).or_default().push(rule);
    }
    // Without a rule they match in any case.
    rules.extend(FREE.iter().chain(OLDER).map(|call| (*call, Vec::new())));
    compile(rules, failing(libc::EPERM), SeccompAction::Allow)
}

/// A filter of calls that are not to exist at all (ENOSYS), since the C library has another way then: the arguments of
/// clone3(2) are in memory, where no filter sees them; those of clone(2) are not.
pub(super) fn unknown() -> io::Result<BpfProgram> {
    let rules = [(libc::SYS_clone3, Vec::new())].into();
    compile(rules, SeccompAction::Allow, failing(libc::ENOSYS))
}

fn compile(
    rules: BTreeMap<c_long, Vec<SeccompRule>>,
    otherwise: SeccompAction,
    matching: SeccompAction,
) -> io::Result<BpfProgram> {
    let processor = std::env::consts::ARCH.try_into().map_err(io::Error::other)?;
    let filter = SeccompFilter::new(rules, otherwise, matching, processor).map_err(io::Error::other)?;
    filter.try_into().map_err(|error: BackendError| io::Error::other(error))
}

fn failing(errno: c_int) -> SeccompAction {
    SeccompAction::Errno(errno.unsigned_abs())
}

/// Calls that are allowed with some arguments.
fn guarded(needs: &Needs<'_>) -> Vec<Guarded> {
    let mut guarded = sockets(needs.supervisor);
    guarded.extend(files(needs.log_directory.is_some()));
    guarded.extend(processes());
    guarded.extend([
        // Nothing becomes executable.
        (libc::SYS_mmap, vec![has(2, libc::PROT_EXEC, 0)]),
        (libc::SYS_mprotect, vec![has(2, libc::PROT_EXEC, 0)]),
        // A limit is asked for, and not set.
        (libc::SYS_prlimit64, vec![(2, Qword, Eq, 0)]),
    ]);
    guarded
}

/// Sockets that may be opened: of rtnetlink and nfnetlink, for frames, and for datagrams to the supervisor. None of IP, and
/// none by which a service of the node could be called.
fn sockets(supervisor: Listener) -> Vec<Guarded> {
    let netlink = |protocol| (libc::SYS_socket, vec![is(0, libc::AF_NETLINK), is(2, protocol)]);
    let mut sockets = vec![
        netlink(libc::NETLINK_ROUTE),
        netlink(libc::NETLINK_NETFILTER),
        (libc::SYS_socket, vec![is(0, libc::AF_PACKET), has(1, SOCK_TYPE_MASK, libc::SOCK_RAW), is(2, 0)]),
        // Two ends of our own: how a signal wakes the main thread.
        (libc::SYS_socketpair, vec![is(0, libc::AF_UNIX)]),
    ];
    if supervisor != Listener::Nobody {
        sockets.push((libc::SYS_socket, vec![is(0, libc::AF_UNIX), has(1, SOCK_TYPE_MASK, libc::SOCK_DGRAM)]));
    }
    sockets
}

/// Files are opened to be read, and the log file to append to it.
fn files(has_log: bool) -> Vec<Guarded> {
    const WRITING: c_int = libc::O_ACCMODE | libc::O_TRUNC;
    let mut modes = vec![(WRITING | libc::O_CREAT, libc::O_RDONLY)];
    if has_log {
        modes.push((WRITING | libc::O_APPEND, libc::O_WRONLY | libc::O_APPEND));
    }
    let openat = |&(mask, mode): &_| (libc::SYS_openat, vec![has(2, mask, mode)]);
    let mut files: Vec<Guarded> = modes.iter().map(openat).collect();
    #[cfg(target_arch = "x86_64")]
    files.extend(modes.iter().map(|&(mask, mode)| (libc::SYS_open, vec![has(1, mask, mode)])));
    files.extend([
        // The flags of a descriptor, and another of the same; but no signals for what happens to it.
        (libc::SYS_fcntl, vec![(1, Dword, Le, libc::F_SETFL as u64)]),
        (libc::SYS_fcntl, vec![is(1, libc::F_DUPFD_CLOEXEC)]),
    ]);
    // Whether it waits, how much there is to read, and whether it is a terminal.
    let controls = [libc::FIONBIO, libc::FIOCLEX, libc::FIONREAD, libc::TCGETS, libc::TIOCGWINSZ];
    files.extend(controls.map(|control| (libc::SYS_ioctl, vec![(1, Dword, Eq, u64::from(control as u32))])));
    files
}

/// Threads of this process, their names, and how it aborts.
fn processes() -> Vec<Guarded> {
    vec![
        (libc::SYS_clone, vec![has(0, libc::CLONE_THREAD | NAMESPACES, libc::CLONE_THREAD)]),
        (libc::SYS_prctl, vec![is(0, libc::PR_SET_NAME)]),
        (libc::SYS_prctl, vec![is(0, libc::PR_GET_NAME)]),
        (libc::SYS_prctl, vec![is(0, libc::PR_SET_VMA)]),
        (libc::SYS_tgkill, vec![(0, Dword, Eq, u64::from(std::process::id()))]),
        (libc::SYS_tkill, vec![is(1, libc::SIGABRT)]),
    ]
}

/// What of a socket's type is not a flag (linux/net.h).
const SOCK_TYPE_MASK: c_int = 0xf;
/// Namespaces of a new process (clone(2)).
const NAMESPACES: c_int = libc::CLONE_NEWNS
    | libc::CLONE_NEWCGROUP
    | libc::CLONE_NEWUTS
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWUSER
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWNET;

/// The argument, an `int`, is this.
fn is(argument: u8, value: c_int) -> Check {
    (argument, Dword, Eq, bits(value))
}

/// The argument, an `int`, has these bits of `mask` and no others of it.
fn has(argument: u8, mask: c_int, value: c_int) -> Check {
    (argument, Dword, MaskedEq(bits(mask)), bits(value))
}

fn bits(value: c_int) -> u64 {
    u64::from(value.cast_unsigned())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn needs(supervisor: Listener, log_directory: Option<&Path>) -> Needs<'_> {
        Needs { config: Path::new(""), bindings: Path::new(""), log_directory, removed: Vec::new(), supervisor }
    }

    #[test]
    fn calls_with_conditions_are_not_allowed_without() {
        let needs = needs(Listener::Path, Some(Path::new("/")));
        let guarded = guarded(&needs);
        let also_free: Vec<_> =
            guarded.iter().filter(|(call, _)| FREE.contains(call) || OLDER.contains(call)).collect();
        assert!(also_free.is_empty(), "{also_free:?}");
    }

    /// What the packet thread calls for a packet has no conditions, and with them no price. musl waits by epoll_pwait(2),
    /// glibc by epoll_wait(2) where the processor has it.
    #[test]
    fn calls_of_the_packet_path_have_no_conditions() {
        let path = [
            libc::SYS_epoll_pwait,
            libc::SYS_recvmmsg,
            libc::SYS_sendmmsg,
            libc::SYS_sendto,
            libc::SYS_getsockopt,
            libc::SYS_read,
            libc::SYS_write,
        ];
        assert!(path.iter().all(|call| FREE.contains(call)));
        #[cfg(target_arch = "x86_64")]
        assert!(OLDER.contains(&libc::SYS_epoll_wait));
    }

    #[test]
    fn what_nobody_needs_is_forbidden() {
        let length = |needs: &Needs<'_>| allowed(needs).unwrap().len();
        let (least, most) = (needs(Listener::Nobody, None), needs(Listener::Abstract, Some(Path::new("/"))));
        assert!(length(&least) < length(&most) && length(&most) < 1_000, "{} {}", length(&least), length(&most));
        let calls: Vec<_> = guarded(&most).into_iter().map(|(call, _)| call).collect();
        for call in [
            libc::SYS_execve,
            libc::SYS_execveat,
            libc::SYS_ptrace,
            libc::SYS_process_vm_readv,
            libc::SYS_bpf,
            libc::SYS_mount,
            libc::SYS_unshare,
            libc::SYS_setns,
            libc::SYS_io_uring_setup,
            libc::SYS_kill,
            libc::SYS_fchmodat,
            libc::SYS_renameat2,
            libc::SYS_memfd_create,
            libc::SYS_keyctl,
            libc::SYS_open_by_handle_at,
            libc::SYS_pidfd_getfd,
            libc::SYS_listen,
        ] {
            assert!(!FREE.contains(&call) && !OLDER.contains(&call) && !calls.contains(&call), "{call}");
        }
    }
}
