//! Members of whom no profile is known, in a preview: Klaviyo is asked for them, and nothing is written.

use std::collections::BTreeMap;

use fanfare_domain::connection::OpenConnection;
use fanfare_domain::consumer::Consumer;
use fanfare_domain::contact::{ContactSettings, Seen, lookups, whose};
use fanfare_domain::ids::{ConsumerId, ProfileId};

use crate::error::Error;
use crate::integration::Integration;

/// What Klaviyo knows of some of them.
#[derive(Debug, Default)]
pub(super) struct Known {
    /// Their profiles, each with the consumer whose it is.
    pub(super) profiles: BTreeMap<ProfileId, Option<ConsumerId>>,
    /// For how many a profile would be made.
    pub(super) new: u64,
    /// How many have none, and get none.
    pub(super) unknown: u64,
}

impl Integration {
    /// Looks for members in Klaviyo by their addresses.
    pub(super) async fn look_for(
        &self,
        connection: &OpenConnection,
        people: &[Consumer],
        settings: ContactSettings,
    ) -> Result<Known, Error> {
        let mut found = Vec::new();
        for lookup in lookups(people) {
            let call = || self.klaviyo.find_profiles(connection, &lookup);
            found.extend(self.klaviyo.with_short_wait(call).await?);
        }
        let seen = whose(people, &found);
        let mut known = Known::default();
        for consumer in people {
            match seen.get(&consumer.id) {
                Some(Seen::Profile(found)) => {
                    let profile = found.profile.id.clone();
                    known.profiles.insert(profile, Some(consumer.id.clone()));
                }
                None if settings.new_profile(consumer).is_some() => known.new += 1,
                Some(Seen::Another) | None => known.unknown += 1,
            }
        }
        Ok(known)
    }
}
