//! Sets of option codes.

/// A set of option codes: one bit for each of the 256.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CodeSet([u64; 4]);

impl CodeSet {
    /// Whether `code` is in the set.
    pub fn contains(&self, code: u8) -> bool {
        self.0.get(usize::from(code >> 6)).is_some_and(|word| word & bit(code) != 0)
    }

    /// Takes `code` in; returns whether it was not in the set.
    pub fn insert(&mut self, code: u8) -> bool {
        let is_new = !self.contains(code);
        if let Some(word) = self.0.get_mut(usize::from(code >> 6)) {
            *word |= bit(code);
        }
        is_new
    }
}

/// The bit of `code` in its word.
fn bit(code: u8) -> u64 {
    1 << (code & 63)
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
