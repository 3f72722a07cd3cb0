//! The cookie that a session stands in.

use actix_web::HttpRequest;
use actix_web::cookie::time::Duration as MaxAge;
use actix_web::cookie::{Cookie, CookieJar, SameSite};
use fanfare_domain::time::Timestamp;

use super::{LONGEST, Session};
use crate::Options;

/// The cookie's name.
const NAME: &str = "fanfare_session";

/// The session of a request, if it has one that still lasts. Whether its key is valid still, this does not say.
pub(crate) fn of_request(
    request: &HttpRequest,
    options: &Options,
    now: Timestamp,
) -> Option<Session> {
    let sent = request.cookie(NAME)?;
    let opened = options.session_keys.0.iter().find_map(|key| {
        let mut jar = CookieJar::new();
        jar.add_original(sent.clone());
        jar.private(key).get(NAME)
    })?;
    let session: Session = serde_json::from_str(opened.value()).ok()?;
    (!session.is_over(now)).then_some(session)
}

/// The cookie of a session.
pub(crate) fn sealed(
    session: &Session,
    options: &Options,
    now: Timestamp,
) -> Option<Cookie<'static>> {
    let json = serde_json::to_string(session).ok()?;
    let left = LONGEST.saturating_sub(now.since(session.began));
    let left = MaxAge::seconds(i64::try_from(left.as_secs()).unwrap_or(0));
    let mut jar = CookieJar::new();
    let key = options.session_keys.0.first()?;
    jar.private_mut(key).add(plain(json, left, options));
    jar.get(NAME).cloned()
}

/// The cookie that ends a session in the browser.
pub(crate) fn ended(options: &Options) -> Cookie<'static> {
    plain(String::new(), MaxAge::ZERO, options)
}

fn plain(value: String, left: MaxAge, options: &Options) -> Cookie<'static> {
    Cookie::build(NAME, value)
        .path("/")
        .http_only(true)
        .same_site(SameSite::Strict)
        .secure(options.is_secure)
        .max_age(left)
        .finish()
}
