//! The shapes of answers, as Fanfare's clients know them. Nothing here decides anything.

mod audience;
mod consumer;
mod import;
mod klaviyo;
mod run;
mod settings;
mod source;

use fanfare_domain::time::Timestamp;
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

pub(crate) use audience::{Audience, AudienceBody, Count, Status};
pub(crate) use consumer::Consumer;
pub(crate) use import::{ImportBody, ImportOutcome, StartedSync, SyncBody};
pub(crate) use klaviyo::{Estimate, KlaviyoList, KlaviyoSegment};
pub(crate) use run::{Issue, Run};
pub(crate) use settings::{Settings, SettingsBody};
pub(crate) use source::SyncSource;

use crate::cursor;

/// The vendor's name wherever one is shown.
const VENDOR: &str = "klaviyo";

/// A page, and the cursors of its ends: both null if it is empty.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Page<T> {
    /// Its items.
    data: Vec<T>,
    /// Its ends.
    page_info: PageInfo,
}

/// Cursors to send as `after`. They are opaque.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PageInfo {
    /// The first item's.
    start_cursor: Option<String>,
    /// The last item's. After the last page comes an empty one.
    end_cursor: Option<String>,
}

impl<T> Page<T> {
    /// A page of the domain's, item by item.
    pub(crate) fn of<U>(page: fanfare_domain::paging::Page<U>, show: impl FnMut(U) -> T) -> Self {
        let page = page.map(show);
        Self {
            data: page.items,
            page_info: PageInfo {
                start_cursor: page.start.as_deref().map(cursor::encode),
                end_cursor: page.end.as_deref().map(cursor::encode),
            },
        }
    }
}

/// An instant, `2026-11-24T14:13:23.120Z`.
#[derive(Debug, Clone, Copy, ToSchema)]
#[schema(as = Timestamp, value_type = String, format = DateTime, example = "2026-11-24T14:13:23.120Z")]
pub(crate) struct Time(Timestamp);

impl Time {
    fn maybe(time: Option<Timestamp>) -> Option<Self> {
        time.map(Self)
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}
