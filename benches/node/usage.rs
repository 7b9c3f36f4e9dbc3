//! What a process costs.

use std::fs;
use std::time::Duration;

use nix::time::{ClockId, clock_getcpuclockid, clock_gettime};
use nix::unistd::Pid;

/// The processor time of all threads of a process so far, its own and the kernel's on its behalf: what `/proc/PID/stat`
/// has as `utime` and `stime`, but not in ticks.
pub(crate) fn cpu_time(pid: u32) -> Duration {
    let clock = clock_getcpuclockid(Pid::from_raw(pid.cast_signed())).unwrap();
    clock_gettime(clock).unwrap().into()
}

/// The most memory that a process ever had at once, in bytes.
pub(crate) fn peak_memory(pid: u32) -> u64 {
    status(pid, "VmHWM") * 1024
}

/// The memory that a process has now, in bytes.
pub(crate) fn resident_memory(pid: u32) -> u64 {
    status(pid, "VmRSS") * 1024
}

/// A number of `/proc/PID/status`: `VmHWM` and the like in kB.
pub(crate) fn status(pid: u32, name: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let value = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).unwrap();
    value.trim().trim_end_matches(" kB").parse().unwrap()
}

/// The processor time of this thread so far.
pub(crate) fn own_cpu_time() -> Duration {
    clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).unwrap().into()
}

/// How many descriptors a process has open.
pub(crate) fn descriptors(pid: u32) -> usize {
    fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count()
}
