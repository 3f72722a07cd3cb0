//! What the dashboard's pages share with the API: an organization's limits, which count requests to either.

use std::sync::Arc;

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::{HttpRequest, ResponseError, web};
use fanfare_domain::ids::OrganizationId;
use fanfare_domain::organization::Role;
use fanfare_domain::rate_limit::Counted;
use fanfare_domain::run::SyncRun;
use fanfare_sync::{AnyRun, Caller, Integration};
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::answer::{UnderWay, count_until_sent};
use super::authentication::{admit, put_together_wrong};
use super::{Concurrency, Permit};
use crate::error::ApiError;
use crate::run_watches::Watched;
use crate::server::TimeLimits;
use crate::stream_keys::{KEY_CHECK_INTERVAL, StreamKeys};
use crate::streams::Streams;

/// A request for a page that is within the limits of its organization.
pub struct AdmittedPage {
    under_way: UnderWay,
    organization: OrganizationId,
    limits: web::Data<TimeLimits>,
    concurrency: web::Data<Concurrency>,
}

/// A request for a page that is not within them, or whose caller may not have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefusedPage {
    /// The status of the answer.
    pub status: StatusCode,
    /// After how many seconds the caller may ask again, if waiting helps.
    pub retry_after: Option<u64>,
}

impl From<ApiError> for RefusedPage {
    fn from(error: ApiError) -> Self {
        Self {
            status: error.status_code(),
            retry_after: error.retry_after(),
        }
    }
}

/// Admits the caller of a page, whom the dashboard's session has named.
pub async fn admit_page(
    request: &ServiceRequest,
    caller: &Caller,
    needed: Role,
) -> Result<AdmittedPage, RefusedPage> {
    let limits = request.app_data::<web::Data<TimeLimits>>().cloned();
    let concurrency = request.app_data::<web::Data<Concurrency>>().cloned();
    let (Some(limits), Some(concurrency)) = (limits, concurrency) else {
        return Err(put_together_wrong().into());
    };
    let under_way = admit(request, &concurrency, caller, needed, Counted::Requests).await?;
    Ok(AdmittedPage {
        under_way,
        organization: caller.organization.clone(),
        limits,
        concurrency,
    })
}

impl AdmittedPage {
    /// The same answer, which counts as under way until it was sent.
    pub fn answer(self, answer: ServiceResponse<BoxBody>) -> ServiceResponse<BoxBody> {
        let shares = (self.concurrency.as_ref(), &self.organization);
        count_until_sent(answer, self.under_way, self.limits.answer, shares)
    }
}

/// A run that a page follows, as one of the event streams that an organization may have open.
pub struct FollowedRun {
    news: watch::Receiver<Watched>,
    shown: Option<Arc<AnyRun>>,
    shutdown: CancellationToken,
    application: web::Data<Integration>,
    keys: StreamKeys,
    caller: Caller,
    next_key_check: Instant,
    _open: Permit,
}

/// What a page that follows a run is told.
#[derive(Debug)]
pub enum News {
    /// The run, which has changed.
    Run(Arc<SyncRun>),
    /// Nothing for some seconds, in which the caller's key was not revoked.
    None,
}

/// Follows a run that the caller has just read.
pub fn follow_run(
    request: &HttpRequest,
    caller: &Caller,
    run: &SyncRun,
) -> Result<FollowedRun, RefusedPage> {
    let application = request.app_data::<web::Data<Integration>>();
    let concurrency = request.app_data::<web::Data<Concurrency>>();
    let shutdown = request.app_data::<web::Data<CancellationToken>>();
    let streams = request.app_data::<web::Data<Streams>>();
    let (Some(application), Some(concurrency), Some(shutdown), Some(streams)) =
        (application, concurrency, shutdown, streams)
    else {
        return Err(put_together_wrong().into());
    };
    Ok(FollowedRun {
        _open: concurrency.open_stream(&run.organization)?,
        news: streams
            .runs
            .follow(application, &AnyRun::Pull(Arc::new(run.clone()))),
        shown: None,
        shutdown: shutdown.get_ref().clone(),
        application: application.clone(),
        keys: streams.keys.clone(),
        caller: caller.clone(),
        next_key_check: Instant::now() + KEY_CHECK_INTERVAL,
    })
}

impl FollowedRun {
    /// The run as it is, and then each time that it has changed; every few seconds that nothing is new. `None` when it has
    /// ended and that was told, when it can no longer be read, when the caller's key was revoked, and when the service
    /// ends.
    pub async fn next(&mut self) -> Option<News> {
        match tokio::time::timeout_at(self.next_key_check, self.next_state()).await {
            Ok(run) => run.map(News::Run),
            Err(_) if self.keys.is_revoked(&self.application, &self.caller).await => None,
            Err(_) => {
                self.next_key_check = Instant::now() + KEY_CHECK_INTERVAL;
                Some(News::None)
            }
        }
    }

    async fn next_state(&mut self) -> Option<Arc<SyncRun>> {
        if self
            .shown
            .as_ref()
            .is_some_and(|run| !run.status().is_active())
        {
            return None;
        }
        let shown = self.shown.as_deref();
        let is_news = |state: &Watched| state.as_deref() != shown || state.is_none();
        let run = tokio::select! {
            () = self.shutdown.cancelled() => None,
            state = self.news.wait_for(is_news) => state.ok()?.clone(),
        }?;
        self.shown = Some(Arc::clone(&run));
        match run.as_ref() {
            AnyRun::Pull(run) => Some(Arc::clone(run)),
            // A page follows runs that read alone.
            AnyRun::Push(_) => None,
        }
    }
}
