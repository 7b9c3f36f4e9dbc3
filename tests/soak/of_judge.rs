//! What grows must not pass.

use std::time::Duration;

use crate::judge::{FEWEST, Sample, faults};

const FLAT: Sample =
    Sample { life: 1, memory: 4_000, peak: 4_400, descriptors: 20, threads: 2, lease: Some(Duration::from_millis(1)) };

/// The samples of one life, each changed by its number.
fn life(change: impl Fn(u64, &mut Sample)) -> Vec<Sample> {
    let sample = |number| {
        let mut sample = FLAT;
        change(number, &mut sample);
        sample
    };
    (0..60).map(sample).collect()
}

#[track_caller]
fn expect(samples: &[Sample], expected: &[&str]) {
    let faults = faults(samples);
    let is_as_expected = faults.iter().zip(expected).all(|(fault, words)| fault.contains(words));
    assert!(is_as_expected && faults.len() == expected.len(), "{faults:?}, not {expected:?}");
}

#[test]
fn flat_samples_pass() {
    expect(&life(|_, _| {}), &[]);
}

#[test]
fn what_comes_and_goes_passes() {
    let shaken = life(|number, sample| {
        sample.memory += number % 7 * 100;
        sample.descriptors += number % 3 / 2;
        sample.threads += number % 5 / 4;
        sample.lease = Some(Duration::from_millis(number % 4 * 50));
    });
    expect(&shaken, &[]);
}

#[test]
fn growth_at_the_start_passes() {
    expect(&life(|number, sample| sample.memory += number.min(14) * 200), &[]);
}

#[test]
fn leaks_do_not_pass() {
    expect(&life(|number, sample| sample.memory += number * 60), &["memory in kB grew from 5"]);
    expect(&life(|number, sample| sample.peak += number * 200), &["peak memory in kB grew"]);
    expect(&life(|number, sample| sample.descriptors += number / 10), &["descriptors grew from 22 to 24"]);
    expect(&life(|number, sample| sample.threads += number / 10), &["threads grew"]);
}

#[test]
fn leak_in_one_of_several_lives_does_not_pass() {
    let mut samples = life(|_, _| {});
    samples.extend(life(|number, sample| {
        sample.life = 2;
        sample.memory += number * 60;
    }));
    expect(&samples, &["life 2: memory in kB grew"]);
}

#[test]
fn a_new_life_may_be_larger() {
    let mut samples = life(|_, _| {});
    samples.extend(life(|_, sample| (sample.life, sample.memory) = (2, 8_000)));
    expect(&samples, &[]);
}

#[test]
fn slow_or_missing_leases_do_not_pass() {
    expect(&life(|_, sample| sample.lease = Some(Duration::from_secs(3))), &["leases take 3s"]);
    expect(&life(|_, sample| sample.lease = None), &["leases take"]);
}

#[test]
fn leases_that_become_slower_do_not_pass() {
    let slower = |by| life(move |number, sample| sample.lease = Some(Duration::from_millis(1 + number * by)));
    expect(&slower(4), &[]);
    expect(&slower(20), &["time of a lease in µs grew from 521000 to 961000"]);
    let ended = life(|number, sample| sample.lease = sample.lease.filter(|_| number < 35));
    expect(&ended, &["time of a lease in µs grew"]);
}

#[test]
fn too_few_samples_do_not_pass() {
    expect(&[], &["too short"]);
    expect(&life(|_, _| {})[..FEWEST], &["too short"]);
    expect(&life(|number, sample| sample.life = number as u32 / 10), &["too short"]);
}
