//! A browser without script: it keeps the cookie, sends forms as pages have them, and looks at every answer's headers.

use actix_web::body::MessageBody;
use actix_web::cookie::Cookie;
use actix_web::cookie::time::Duration as MaxAge;
use actix_web::dev::Service;
use actix_web::http::header::HeaderMap;
use actix_web::test::{self, TestRequest};

use super::fixture::Fixture;
use super::headers::assert_secure;

pub(super) struct Browser<'f> {
    fixture: &'f Fixture,
    pub(super) cookie: Option<String>,
}

/// An answer.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) text: String,
    pub(super) bytes: Vec<u8>,
}

impl<'f> Browser<'f> {
    pub(super) fn new(fixture: &'f Fixture) -> Self {
        Self {
            fixture,
            cookie: None,
        }
    }

    pub(super) async fn sign_in(&mut self, key: &str) -> Answer {
        let form = [("secretKey", key)];
        self.send_form("/auth/sign-in", &form, &[]).await
    }

    pub(super) async fn get(&mut self, path: &str) -> Answer {
        self.send(TestRequest::get().uri(path)).await
    }

    /// What a script asks for to swap it.
    pub(super) async fn get_partial(&mut self, path: &str) -> Answer {
        let request = TestRequest::get().uri(path);
        self.send(request.insert_header(("hx-request-type", "partial")))
            .await
    }

    /// Sends a form of one of the session's pages.
    pub(super) async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let token = self.token().await;
        let mut fields = fields.to_vec();
        fields.push(("csrf", &token));
        self.send_form(path, &fields, &[]).await
    }

    /// The token that the session's forms have.
    pub(super) async fn token(&mut self) -> String {
        let page = self.get("/app/audiences").await;
        let (_, rest) = page
            .text
            .split_once("name=\"csrf\" value=\"")
            .unwrap_or_else(|| panic!("a form: {}", page.text));
        rest.split('"').next().unwrap_or_default().to_owned()
    }

    /// Sends a form as it is.
    pub(super) async fn send_form(
        &mut self,
        path: &str,
        fields: &[(&str, &str)],
        headers: &[(&'static str, &str)],
    ) -> Answer {
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        body.extend_pairs(fields);
        let mut request = TestRequest::post()
            .uri(path)
            .insert_header(("content-type", "application/x-www-form-urlencoded"))
            .set_payload(body.finish());
        for header in headers {
            request = request.insert_header(*header);
        }
        self.send(request).await
    }

    pub(super) async fn send(&mut self, mut request: TestRequest) -> Answer {
        if let Some(cookie) = &self.cookie {
            request = request.insert_header(("cookie", format!("fanfare_session={cookie}")));
        }
        let service = test::init_service(fanfare_http::app(&self.fixture.parts)).await;
        let answered = service.call(request.to_request()).await;
        let answered = answered.expect("an answer, not an error");
        let (status, headers) = (answered.status().as_u16(), answered.headers().clone());
        for cookie in answered.response().cookies() {
            self.keep(&cookie);
        }
        let bytes = actix_web::body::to_bytes(answered.into_body().boxed()).await;
        let bytes = bytes.unwrap_or_else(|error| panic!("a body: {error}"));
        let answer = Answer {
            status,
            headers,
            text: String::from_utf8_lossy(&bytes).into_owned(),
            bytes: bytes.to_vec(),
        };
        assert_secure(&answer);
        answer
    }

    fn keep(&mut self, cookie: &Cookie<'_>) {
        let is_ended = cookie.max_age().is_some_and(|left| left <= MaxAge::ZERO);
        self.cookie = (!is_ended).then(|| cookie.value().to_owned());
    }
}

impl Answer {
    pub(super) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |value| value.to_str().expect("text"))
    }

    /// That the page was shown, and has this text.
    #[track_caller]
    pub(super) fn shows(&self, text: &str) {
        assert_eq!(self.status, 200, "{}", self.text);
        self.has(text);
    }

    /// That the answer has this text, whatever its status.
    #[track_caller]
    pub(super) fn has(&self, text: &str) {
        assert!(self.text.contains(text), "no {text:?} in {}", self.text);
    }

    #[track_caller]
    pub(super) fn lacks(&self, text: &str) {
        assert!(!self.text.contains(text), "{text:?} in {}", self.text);
    }

    /// That the browser is sent to this address.
    #[track_caller]
    pub(super) fn leads_to(&self, path: &str) {
        assert_eq!(
            (self.status, self.header("location")),
            (303, path),
            "{}",
            self.text
        );
    }
}
