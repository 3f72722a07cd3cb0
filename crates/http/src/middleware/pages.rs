//! What the dashboard's pages share with the API: an organization's limits, which count requests to either.

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::{ResponseError, web};
use fanfare_domain::ids::OrganizationId;
use fanfare_domain::organization::Role;
use fanfare_domain::rate_limit::Counted;
use fanfare_sync::Caller;

use super::Concurrency;
use super::answer::{UnderWay, count_until_sent};
use super::authentication::{admit, put_together_wrong};
use crate::error::ApiError;
use crate::server::TimeLimits;

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
