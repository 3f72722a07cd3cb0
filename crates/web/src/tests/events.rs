//! Which events Klaviyo is told of, and the secret of Fanfare's webhooks.

use fanfare_domain::events::{EventSettings, EventType};
use fanfare_domain::organization::Role;
use fanfare_domain::writing::MetricName;

use super::browser::Answer;
use super::fixture::Fixture;

const PATH: &str = "/app/settings/integrations/klaviyo/events";

impl Fixture {
    async fn event_settings(&self) -> EventSettings {
        let settings = self.integration.settings(&self.own.id).await;
        settings.expect("settings").events
    }
}

fn metric(name: &str) -> Option<MetricName> {
    MetricName::parse(name).ok()
}

#[actix_web::test]
async fn an_admin_switches_events_on_and_off_and_an_editor_looks_on() {
    let fixture = Fixture::connected().await;
    let mut editor = fixture.signed_in(Role::Editor).await;
    let page = editor.get(PATH).await;
    page.shows("<span class=\"badge none\">Off</span>");
    page.has("Fanfare Draw Winner");
    page.has("a purchase is counted once");
    page.has("How it is set up");
    page.has("No event has arrived yet.");
    for button in ["Switch events", "Save metrics", "Make the secret"] {
        page.lacks(button);
    }
    let mut admin = fixture.signed_in(Role::Admin).await;
    let sheet = admin.get("/app/settings/integrations?sheet=klaviyo").await;
    sheet.shows(&format!("action=\"{PATH}\""));
    let question = admin.get(&format!("{PATH}/switch")).await;
    question.shows("Fanfare Draw Winner");
    question.has("mail the people");
    question.has("No event can come yet: no secret was made.");
    question.has("name=\"enabled\" value=\"true\"");
    assert!(!fixture.event_settings().await.enabled, "only asked");
    assert_eq!(editor.get(&format!("{PATH}/switch")).await.status, 403);
    for (enabled, said, badge) in [
        ("true", "on", "On, but no event can come yet"),
        ("false", "off", "Off"),
    ] {
        let answer = admin
            .post(&format!("{PATH}/switch"), &[("enabled", enabled)])
            .await;
        answer.leads_to(&format!("{PATH}?notice={said}"));
        let page = admin.get(&format!("{PATH}?notice={said}")).await;
        page.shows(&format!(">{badge}</span>"));
        page.has(&format!("Events are switched {said}."));
    }
}

#[actix_web::test]
async fn metrics_are_changed_turned_off_and_reset_and_what_was_typed_stays() {
    let fixture = Fixture::connected().await;
    let mut browser = fixture.signed_in(Role::Admin).await;
    let saved = browser
        .post(
            PATH,
            &[
                ("draw.consumer.won", " Won a pair "),
                ("draw.consumer.lost", ""),
                ("draw.consumer.entered", "Fanfare Draw Entered"),
                ("draw.completed", "Nobody's"),
            ],
        )
        .await;
    saved.leads_to(&format!("{PATH}?notice=saved"));
    let stored = fixture.event_settings().await;
    assert_eq!(stored.metric_of(EventType::DrawWon), metric("Won a pair"));
    assert_eq!(stored.metric_of(EventType::DrawLost), None);
    assert_eq!(stored.metrics.len(), 2, "what has its default is not kept");
    let page = browser.get(PATH).await;
    page.shows("name=\"draw.consumer.won\" type=\"text\" value=\"Won a pair\"");
    page.has("Default: Fanfare Draw Winner.");

    let long = "x".repeat(128);
    let typed = [
        ("draw.consumer.won", "Typed <b>already</b>"),
        ("queue.consumer.left", long.as_str()),
        ("queue.consumer.entered", "a\u{1}b"),
    ];
    let refused = browser.post(PATH, &typed).await;
    assert_eq!(refused.status, 400);
    refused.has("value=\"Typed &lt;b&gt;already&lt;/b&gt;\"");
    refused.has(&format!("value=\"{long}\""));
    assert_eq!(refused.text.matches("has 1 to 127 characters").count(), 2);
    assert_eq!(refused.text.matches("aria-invalid").count(), 2);

    let mut fields = typed.to_vec();
    fields[1].1 = "Left";
    fields[2].1 = "";
    fields.push(("reset", "draw.consumer.won"));
    let reset = browser.post(PATH, &fields).await;
    reset.shows("name=\"draw.consumer.won\" type=\"text\" value=\"Fanfare Draw Winner\"");
    reset.has("Not saved yet.");
    reset.has("value=\"Left\"");
    assert_eq!(fixture.event_settings().await, stored, "nothing was saved");
}

#[actix_web::test]
async fn a_preview_shows_what_klaviyo_would_be_told() {
    let (fixture, _) = Fixture::imported().await;
    let mut browser = fixture.signed_in(Role::Editor).await;
    let somebody = browser
        .get(&format!("{PATH}?preview=draw.consumer.won"))
        .await;
    somebody.shows("Whoever has the e-mail ");
    somebody.has("<code>winner_position</code>");
    somebody.lacks("oken</code>");
    let known = format!("{PATH}?preview=order.completed&person=person1@example.com");
    let known = browser.get(&known).await;
    known.shows("The profile ");
    known.has("49.90 EUR");
    let unknown = format!("{PATH}?preview=order.completed&person=nobody");
    browser
        .get(&unknown)
        .await
        .shows("No consumer, or more than one");
    let denied = format!("{PATH}?preview=queue.consumer.denied");
    browser.get(&denied).await.shows("has no Klaviyo metric");
    let none = browser.get(&format!("{PATH}?preview=draw.completed")).await;
    none.lacks("Known again by");
}

#[actix_web::test]
async fn a_secret_is_shown_once_and_replaced_once_by_a_double_click() {
    fn mark(page: &Answer) -> String {
        let rest = page.text.split("name=\"seen\" value=\"").nth(1);
        let mark = rest.and_then(|rest| rest.split('"').next());
        mark.unwrap_or_else(|| panic!("a mark: {}", page.text))
            .to_owned()
    }
    fn secret_in(page: &Answer) -> &str {
        let rest = page.text.split("value=\"whsec_").nth(1);
        let secret = rest.and_then(|rest| rest.split('"').next());
        secret.unwrap_or_else(|| panic!("a secret: {}", page.text))
    }
    let fixture = Fixture::connected().await;
    let mut browser = fixture.signed_in(Role::Admin).await;
    let before = browser.get(PATH).await;
    before.shows("No secret was made yet");
    before.has(&format!("/api/webhooks/fanfare/{}", fixture.own.id));
    let secret = format!("{PATH}/secret");
    let made = browser.post(&secret, &[]).await;
    made.shows("value=\"whsec_");
    made.has("it is not shown again");
    made.lacks("The secret of before is good");
    // The browser shows only the answer to the second click of a double click.
    let again = browser.post(&secret, &[]).await;
    again.shows(secret_in(&made));
    let mut another = fixture.signed_in_to(&fixture.own, Role::Owner).await;
    let others = another.post(&secret, &[]).await;
    others.leads_to(&format!("{PATH}?notice=secret-changed"));
    fixture.wait_a_minute();
    let late = browser.post(&secret, &[]).await;
    late.leads_to(&format!("{PATH}?notice=secret-changed"));

    let page = browser.get(PATH).await;
    page.shows("A secret is in use.");
    page.lacks("whsec_");
    let seen = mark(&page);
    let replaced = browser.post(&secret, &[("seen", &seen)]).await;
    replaced.shows("value=\"whsec_");
    replaced.has("The secret of before is good until 2026-11-25");
    let again = browser.post(&secret, &[("seen", &seen)]).await;
    again.shows(secret_in(&replaced));
    assert_ne!(secret_in(&made), secret_in(&replaced));
    fixture.wait_a_minute();
    let late = browser.post(&secret, &[("seen", &seen)]).await;
    late.leads_to(&format!("{PATH}?notice=secret-changed"));
    let page = browser.get(&format!("{PATH}?notice=secret-changed")).await;
    page.shows("A secret was made meanwhile");
    page.has("ends the secret of before at once");
    assert_ne!(mark(&page), seen);
    browser.get(&secret).await.leads_to(PATH);
}
