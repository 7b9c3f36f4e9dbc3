//! Sets of option codes.

/// A set of option codes: one bit for each of the 256.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CodeSet([u64; 4]);

impl CodeSet {
    /// Whether `code` is in the set.
    pub fn contains(&self, code: u8) -> bool {
        let [a, b, c, d] = self.0;
        let word = match code >> 6 {
            0 => a,
            1 => b,
            2 => c,
            _ => d,
        };
        word >> (code & 63) & 1 != 0
    }

    /// Takes `code` in; returns whether it was not in the set.
    pub fn insert(&mut self, code: u8) -> bool {
        let [a, b, c, d] = &mut self.0;
        let word = match code >> 6 {
            0 => a,
            1 => b,
            2 => c,
            _ => d,
        };
        let bit = 1 << (code & 63);
        let is_new = *word & bit == 0;
        *word |= bit;
        is_new
    }
}

impl FromIterator<u8> for CodeSet {
    fn from_iter<I: IntoIterator<Item = u8>>(codes: I) -> Self {
        let mut set = Self::default();
        codes.into_iter().for_each(|code| _ = set.insert(code));
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_its_own_bit() {
        for code in 0..=255 {
            let mut set = CodeSet::default();
            assert!(set.insert(code) && !set.insert(code));
            assert!((0..=255).all(|other| set.contains(other) == (other == code)), "{code}");
        }
        let even: CodeSet = (0..=254).step_by(2).collect();
        assert!((0..=255).all(|code| even.contains(code) == (code % 2 == 0)));
    }
}
