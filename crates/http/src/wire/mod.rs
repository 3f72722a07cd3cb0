//! The shapes of answers, as Fanfare's clients know them. Nothing here decides anything.

mod audience;
mod audience_update;
mod consumer;
mod consumer_edit;
mod contact_settings;
mod delivery;
mod door;
mod event_preview;
mod event_settings;
mod explain;
mod history;
mod import;
mod kept_list;
mod klaviyo;
mod metadata;
mod quota;
mod run;
mod settings;
mod source;
mod static_audience;
mod webhook;
mod words;

use fanfare_domain::time::Timestamp;
use serde::{Serialize, Serializer};
use utoipa::ToSchema;

pub(crate) use audience::{Audience, AudienceQuery, Count, Include, Status};
pub(crate) use audience_update::AudienceBody;
pub(crate) use consumer::{Consumer, ConsumersQuery, Erasure, LookupQuery};
pub(crate) use consumer_edit::{ConsumerBody, UnsubscribeBody};
pub(crate) use delivery::{DeliveriesQuery, Delivery, DeliverySummary};
pub(crate) use door::{Check, CheckBody, Membership};
pub(crate) use event_preview::{EventPreview, PreviewQuery};
pub(crate) use explain::{ExplainQuery, Explanation};
pub(crate) use history::{
    Change, ChangesQuery, Difference, DifferenceQuery, MembersQuery, Snapshot, SnapshotBody,
};
pub(crate) use import::{ImportBody, ImportOutcome, StartedSync, SyncBody};
pub(crate) use kept_list::{
    KeptListAnswer, ListChoiceBody, PreviewAnswer, PushBody, StartedPush, choice_of, message_of,
};
pub(crate) use klaviyo::{Estimate, KlaviyoList, KlaviyoSegment};
pub(crate) use quota::Quota;
pub(crate) use run::{Issue, Run};
pub(crate) use settings::{Settings, SettingsBody, SettingsChange};
pub(crate) use source::{SourcesQuery, SyncSource};
pub(crate) use static_audience::{MembersAnswer, MembersBody, NewAudienceBody};
pub(crate) use webhook::{ReceivedWebhook, WebhookAddress, WebhookBody};

use crate::cursor;
use crate::decode::Text;

/// The vendor's name wherever one is shown.
const VENDOR: &str = "klaviyo";

/// A text that is searched for. It is a part of a person's name, address or number.
pub(crate) type SearchText = Text<2, 255>;

/// A page, and the cursors of its ends: both null if it is empty. It is cut at 2 MB, and then has less than
/// `first` items.
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

/// The most bytes that the items of a page have, as JSON.
const MAX_PAGE_BYTES: usize = 2_000_000;

impl<T: Serialize> Page<T> {
    /// A page of the domain's, item by item; what makes it larger than [`MAX_PAGE_BYTES`] is on the next.
    pub(crate) fn of<U>(page: fanfare_domain::paging::Page<U>, show: impl FnMut(U) -> T) -> Self {
        let page = page.map(show).up_to(MAX_PAGE_BYTES, json_bytes);
        Self {
            page_info: PageInfo {
                start_cursor: page.start().map(cursor::encode),
                end_cursor: page.end().map(cursor::encode),
            },
            data: page.items,
        }
    }
}

/// How many bytes a value has as JSON.
fn json_bytes(value: &impl Serialize) -> usize {
    struct Count(usize);

    impl std::io::Write for Count {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    let mut count = Count(0);
    // What cannot be shown fails again when the answer is written, and is reported there.
    let _ = serde_json::to_writer(&mut count, value);
    count.0
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
