//! Chance that a seed repeats.

use crate::random::Random;

#[test]
fn same_seed_gives_the_same_numbers() {
    let numbers = |seed| {
        let mut random = Random::new(seed);
        [0; 8].map(|_| random.below(1_000_000))
    };
    assert_eq!(numbers(7), numbers(7));
    assert_ne!(numbers(7), numbers(8));
}

#[test]
fn choices_come_as_their_weights_say() {
    let mut random = Random::new(1);
    let mut counts = [0_u32; 3];
    (0..4_000).for_each(|_| counts[*random.choose(&[(1, 0_usize), (0, 1), (3, 2)])] += 1);
    assert!(counts[0].abs_diff(1_000) < 100 && counts[1] == 0, "{counts:?}");
}
