//! What Klaviyo's documentation leaves open. The defaults are the stricter reading.

use std::time::Duration;

/// Choices where Klaviyo's own behaviour is not known.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent yes-or-no questions, each asked in one place"
)]
pub struct Switches {
    /// Whether a request without `revision` is a 400; else it is served as the newest.
    pub requires_revision: bool,
    /// How long a cursor can be used; `None` is forever.
    pub cursor_life: Option<Duration>,
    /// Whether a cursor works only with the path, filter and sort order that it came with.
    pub binds_cursors: bool,
    /// Whether members come in the order of their ids when no order is asked for; else in the order of
    /// joining.
    pub sorts_by_id: bool,
    /// Whether full members and their ids have a quota each; else they share one.
    pub separates_ids: bool,
    /// Whether windows begin with the first request in them; else with the clock's seconds and minutes.
    pub windows_begin_with_requests: bool,
    /// The most values in `any(...)`; `None` is any number.
    pub most_values: Option<usize>,
    /// How long a profile can still be read after it was merged into another.
    pub merging_takes: Duration,
    /// After how long what was written shows.
    pub delays: Delays,
    /// Whether a list write passes over profiles that are unknown; else it is a 404, and nothing is done.
    pub skips_unknown_members: bool,
    /// Whether a first page of lists has a `prev` that leads nowhere, as was seen once.
    pub has_odd_prev: bool,
    /// Whether cursors have characters that an address escapes: blanks, quotes, signs, letters beyond ASCII.
    pub has_odd_cursors: bool,
    /// Whether profiles have attributes that Klaviyo's specification leaves out.
    pub has_extra_attributes: bool,
}

/// After how long what was written shows, by the simulator's clock. All are guesses. Values of profiles show at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Delays {
    /// Members of a list.
    pub lists: Duration,
    /// The rows of an import job, which is `processing` for the second half of it.
    pub jobs: Duration,
    /// Events.
    pub events: Duration,
    /// Consent.
    pub consent: Duration,
}

impl Delays {
    /// Everything shows at once, import jobs a microsecond later.
    pub const NONE: Self = Self {
        lists: Duration::ZERO,
        jobs: Duration::ZERO,
        events: Duration::ZERO,
        consent: Duration::ZERO,
    };
}

impl Default for Delays {
    fn default() -> Self {
        Self {
            lists: Duration::from_secs(1),
            jobs: Duration::from_secs(5),
            events: Duration::from_secs(5),
            consent: Duration::from_mins(1),
        }
    }
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            requires_revision: true,
            cursor_life: Some(Duration::from_hours(1)),
            binds_cursors: true,
            sorts_by_id: true,
            separates_ids: true,
            windows_begin_with_requests: true,
            most_values: Some(100),
            merging_takes: Duration::from_mins(1),
            delays: Delays::default(),
            skips_unknown_members: false,
            has_odd_prev: false,
            has_odd_cursors: false,
            has_extra_attributes: true,
        }
    }
}
