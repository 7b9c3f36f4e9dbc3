//! Whether what was sampled is flat. Pure, so that tests can show what it does not let pass.

use std::time::Duration;

/// What is left out at the start of a life: by then everything has grown to the size that it needs.
const WARM_UP: f64 = 0.25;

/// A life with fewer samples behind its warm-up says nothing.
pub(crate) const FEWEST: usize = 12;

/// How much more memory, in kB, the later half may have than the earlier one: a share of it, and what one flood more that
/// met a slow moment leaves with the allocator.
const MORE_MEMORY: (f64, u64) = (1.0 / 8.0, 512);

/// The same for the most that there ever was, which one unlucky moment decides.
const MORE_PEAK: (f64, u64) = (1.0 / 4.0, 1024);

/// How many more descriptors or threads: one is open for a moment while a file is read or somebody asks.
const MORE_HANDLES: (f64, u64) = (0.0, 1);

/// How much longer, in microseconds, leases may take: as much as a machine shakes them that has other work. What only
/// grows nearly doubles from half to half.
const MORE_LATENCY: (f64, u64) = (0.5, 100_000);

/// A lease takes less than a millisecond. What takes longer than this is not a busy machine.
const SLOWEST: Duration = Duration::from_secs(2);

/// The daemon at one time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sample {
    /// Which start of the daemon it is of.
    pub(crate) life: u32,
    /// Resident memory in kB.
    pub(crate) memory: u64,
    /// The most resident memory so far, in kB.
    pub(crate) peak: u64,
    /// Open descriptors.
    pub(crate) descriptors: u64,
    /// Threads.
    pub(crate) threads: u64,
    /// How long half of the leases took that were asked for since the last sample; None if there were none.
    pub(crate) lease: Option<Duration>,
}

/// What grew, in words; nothing if all is flat.
pub(crate) fn faults(samples: &[Sample]) -> Vec<String> {
    let lives = samples.chunk_by(|a, b| a.life == b.life).map(settled).filter(|life| life.len() >= FEWEST);
    let lives: Vec<_> = lives.collect();
    if lives.is_empty() {
        return vec![format!("no life of the daemon has {FEWEST} samples: the run is too short to judge")];
    }
    let grown = lives.iter().flat_map(|life| grown(life));
    grown.chain(slow(samples)).collect()
}

/// A life without its warm-up.
fn settled(life: &[Sample]) -> &[Sample] {
    &life[(life.len() as f64 * WARM_UP).ceil() as usize..]
}

/// The median of the later half beside that of the earlier one.
fn grown(life: &[Sample]) -> Vec<String> {
    type Value = (&'static str, fn(&Sample) -> u64, (f64, u64));
    const VALUES: [Value; 5] = [
        ("memory in kB", |sample| sample.memory, MORE_MEMORY),
        ("peak memory in kB", |sample| sample.peak, MORE_PEAK),
        ("descriptors", |sample| sample.descriptors, MORE_HANDLES),
        ("threads", |sample| sample.threads, MORE_HANDLES),
        ("time of a lease in µs", lease_micros, MORE_LATENCY),
    ];
    let (earlier, later) = life.split_at(life.len() / 2);
    let compare = |(name, value, (share, amount)): Value| {
        let [earlier, later] = [earlier, later].map(|half| median(half.iter().map(value)));
        let allowed = earlier + (earlier as f64 * share) as u64 + amount;
        (later > allowed).then(|| {
            format!("life {}: {name} grew from {earlier} to {later}, where {allowed} is allowed", life[0].life)
        })
    };
    VALUES.into_iter().filter_map(compare).collect()
}

/// No lease at all is slower than any, by far.
fn lease_micros(sample: &Sample) -> u64 {
    sample.lease.map_or(u32::MAX.into(), |lease| lease.as_micros() as u64)
}

/// Half of all leases, or of those since any one sample, may shake with the machine; half of the samples may not.
fn slow(samples: &[Sample]) -> Option<String> {
    // No lease at all is slower than any.
    let lease = median(samples.iter().map(|sample| sample.lease.unwrap_or(Duration::MAX)));
    (lease > SLOWEST).then(|| format!("leases take {lease:?}"))
}

fn median<T: Ord + Copy>(values: impl Iterator<Item = T>) -> T {
    let mut values: Vec<_> = values.collect();
    let at = values.len() / 2;
    *values.select_nth_unstable(at).1
}
