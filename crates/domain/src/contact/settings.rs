//! What a merchant has chosen of contacts.

use super::{Rule, Winner};

/// What a merchant has chosen of contacts that both sides write. Nothing is sent until it is switched on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContactSettings {
    /// Whether changes made in Fanfare are sent.
    pub enabled: bool,
    /// Whose value stays where both sides have changed one.
    pub winner: Winner,
    /// Whether Klaviyo gets profiles of people whom it does not know.
    pub create_profiles: bool,
}

impl Default for ContactSettings {
    fn default() -> Self {
        Self {
            enabled: false,
            winner: Winner::Latest,
            create_profiles: false,
        }
    }
}

/// A change of it. What is `None` stays.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ContactSettingsUpdate {
    /// Whether changes made in Fanfare are sent.
    pub enabled: Option<bool>,
    /// Whose value stays where both sides have changed one.
    pub winner: Option<Winner>,
    /// Whether Klaviyo gets profiles of people whom it does not know.
    pub create_profiles: Option<bool>,
}

impl ContactSettings {
    /// The same, changed.
    #[must_use]
    pub fn merged(self, update: ContactSettingsUpdate) -> Self {
        Self {
            enabled: update.enabled.unwrap_or(self.enabled),
            winner: update.winner.unwrap_or(self.winner),
            create_profiles: update.create_profiles.unwrap_or(self.create_profiles),
        }
    }

    /// The rule of every field: both sides write each.
    pub const fn rule(self) -> Rule {
        Rule::both(self.winner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_leaves_alone_what_it_does_not_name() {
        let update = ContactSettingsUpdate {
            enabled: Some(true),
            ..ContactSettingsUpdate::default()
        };
        let on = ContactSettings::default().merged(update);
        assert_eq!((on.enabled, on.winner), (true, Winner::Latest));
        let update = ContactSettingsUpdate {
            winner: Some(Winner::Fanfare),
            create_profiles: Some(true),
            ..ContactSettingsUpdate::default()
        };
        let on = on.merged(update);
        assert_eq!((on.enabled, on.winner), (true, Winner::Fanfare));
        assert!(on.create_profiles);
    }
}
