//! Numbers that look random and follow from a seed: SplitMix64.

/// A sequence of numbers.
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    /// The sequence of a seed.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number below `end`, which is small beside 2^64.
    pub(crate) fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    /// One of several, each as likely as its weight says.
    pub(crate) fn choose<'a, T>(&mut self, choices: &'a [(u64, T)]) -> &'a T {
        let at = self.below(choices.iter().map(|(weight, _)| weight).sum());
        let ends = choices.iter().scan(0, |end, (weight, _)| {
            *end += weight;
            Some(*end)
        });
        &choices[ends.take_while(|end| *end <= at).count()].1
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }
}
