//! Consumers as columns: a set of rows goes into a statement as one array for each column.

use fanfare_domain::consumer::{Consumer, Stamp, Stamped};
use fanfare_domain::value::Email;

use crate::at::{At, at};

#[derive(Default)]
pub(super) struct ConsumerColumns<'a> {
    pub(super) id: Vec<&'a str>,
    pub(super) email: Vec<Option<&'a str>>,
    pub(super) phone: Vec<Option<&'a str>>,
    pub(super) phone_updated: Vec<Option<At>>,
    pub(super) phone_profile: Vec<Option<&'a str>>,
    pub(super) full_name: Vec<Option<&'a str>>,
    pub(super) full_name_updated: Vec<Option<At>>,
    pub(super) full_name_profile: Vec<Option<&'a str>>,
    pub(super) primary_profile: Vec<Option<&'a str>>,
    pub(super) primary_updated: Vec<Option<At>>,
    pub(super) primary_source_id: Vec<Option<&'a str>>,
}

impl<'a> ConsumerColumns<'a> {
    /// The consumers in the order given.
    pub(super) fn of(consumers: impl IntoIterator<Item = &'a Consumer>) -> Self {
        let mut columns = Self::default();
        for consumer in consumers {
            columns.push(consumer);
        }
        columns
    }

    fn push(&mut self, consumer: &'a Consumer) {
        fn updated(by: Option<&Stamp>) -> Option<At> {
            at(by.and_then(|stamp| stamp.updated))
        }
        fn profile(by: Option<&Stamp>) -> Option<&str> {
            by.map(|stamp| stamp.profile.as_str())
        }
        fn by<T>(stamped: Option<&Stamped<T>>) -> Option<&Stamp> {
            stamped.and_then(|stamped| stamped.by.as_ref())
        }
        let (phone, full_name) = (consumer.phone.as_ref(), consumer.full_name.as_ref());
        let primary = consumer.primary.as_ref();
        let primary_stamp = primary.map(|primary| &primary.stamp);
        self.id.push(consumer.id.as_str());
        self.email.push(consumer.email.as_ref().map(Email::as_str));
        self.phone.push(phone.map(|phone| phone.value.as_str()));
        self.phone_updated.push(updated(by(phone)));
        self.phone_profile.push(profile(by(phone)));
        self.full_name
            .push(full_name.map(|name| name.value.as_str()));
        self.full_name_updated.push(updated(by(full_name)));
        self.full_name_profile.push(profile(by(full_name)));
        self.primary_profile.push(profile(primary_stamp));
        self.primary_updated.push(updated(primary_stamp));
        self.primary_source_id
            .push(primary.map(|primary| primary.source.as_str()));
    }
}
