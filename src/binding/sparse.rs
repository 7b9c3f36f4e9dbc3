//! Settings of guests that nearly all have none.

use std::ops::{Deref, DerefMut};
use std::sync::LazyLock;

use super::Settings;

/// The settings of a guest, which take no more room than a pointer as long as the file sets nothing.
#[derive(Debug, Clone, Default)]
pub struct SparseSettings(Option<Box<Settings>>);

/// What all have that set nothing.
static UNSET: LazyLock<Settings> = LazyLock::new(Settings::default);

impl From<Settings> for SparseSettings {
    fn from(settings: Settings) -> Self {
        Self((settings != *UNSET).then(|| Box::new(settings)))
    }
}

impl Deref for SparseSettings {
    type Target = Settings;

    fn deref(&self) -> &Settings {
        self.0.as_deref().unwrap_or_else(|| &UNSET)
    }
}

impl DerefMut for SparseSettings {
    fn deref_mut(&mut self) -> &mut Settings {
        self.0.get_or_insert_default()
    }
}

impl PartialEq for SparseSettings {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for SparseSettings {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn take_room_only_where_something_is_set() {
        let mut settings = SparseSettings::from(Settings::default());
        assert!(settings.0.is_none() && settings.mtu.is_none());
        settings.mtu = Some(1400);
        let same = SparseSettings::from(Settings { mtu: Some(1400), ..Settings::default() });
        assert!(same.0.is_some() && same == settings);
        settings.mtu = None;
        assert_eq!(settings, SparseSettings::default(), "that it was set once does not matter");
    }
}
