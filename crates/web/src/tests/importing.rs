//! The import page.

use std::time::Duration;

use fanfare_domain::klaviyo::KlaviyoError;
use fanfare_domain::organization::Role;
use fanfare_domain::quota::RetryAfter;
use fanfare_testkit::build::list;
use fanfare_testkit::fake_klaviyo::FakeKlaviyo;

use super::fixture::{Fixture, people};

const PATH: &str = "/app/audiences/import/klaviyo";

#[actix_web::test]
async fn lists_and_segments_are_chosen_by_their_names() {
    let (fixture, imported) = Fixture::imported().await;
    let mut browser = fixture.signed_in(Role::Editor).await;
    let page = browser.get(PATH).await;
    page.shows(
        "<input type=\"checkbox\" name=\"list\" value=\"XyZaBc\"><bdi class=\"text\">VIP</bdi>",
    );
    page.has("<input type=\"checkbox\" name=\"segment\" value=\"SgMnt1\">");
    page.has("One-time Import");
    page.has("Continuous Sync");
    page.has("<label for=\"refresh\">Refresh every</label>");
    page.has("Import Selected");
    page.lacks("value=\"RtPqXs\"");
    page.has(&format!("href=\"/app/audiences/{}\"", imported.audience));
    let found = browser.get(&format!("{PATH}?search=engaged")).await;
    found.shows("SgMnt1");
    found.lacks("XyZaBc");
    browser
        .get(&format!("{PATH}?search=nothing"))
        .await
        .shows("No list or segment matches");
    let part = browser.get_partial(&format!("{PATH}?search=vip")).await;
    assert!(
        part.text.starts_with("<div id=\"collections\""),
        "{}",
        part.text
    );
}

#[actix_web::test]
async fn one_list_leads_to_its_audience_and_several_to_all() {
    let fixture = Fixture::connected().await;
    let mut browser = fixture.signed_in(Role::Editor).await;
    let form = [
        ("list", "XyZaBc"),
        ("sync", "CONTINUOUS"),
        ("refreshIntervalSeconds", "3600"),
    ];
    let one = browser.post(PATH, &form).await;
    assert_eq!(one.status, 303, "{}", one.text);
    let audience = one.header("location").to_owned();
    let page = browser.get(&audience).await;
    page.shows("VIP");
    page.has("Continuous sync: every hour.");
    let form = [
        ("list", "RtPqXs"),
        ("segment", "SgMnt1"),
        ("sync", "ONE_TIME"),
    ];
    browser
        .post(PATH, &form)
        .await
        .leads_to("/app/audiences?notice=imported");
    let all = browser.get("/app/audiences?notice=imported").await;
    all.shows("The imports have been queued.");
    all.has("Newsletter");
    all.has("Engaged");
}

#[actix_web::test]
async fn what_is_skipped_is_told_with_its_audience() {
    let (fixture, imported) = Fixture::imported().await;
    fixture.wait_a_minute();
    fixture.wait_a_minute();
    let mut browser = fixture.signed_in(Role::Editor).await;
    let form = [
        ("list", "RtPqXs"),
        ("list", "XyZaBc"),
        ("list", "GoneXX"),
        ("sync", "ONE_TIME"),
    ];
    let told = browser.post(PATH, &form).await;
    told.shows("<h2>Being imported</h2>");
    told.has("<bdi class=\"text\">VIP</bdi>");
    told.has("it is an audience already");
    told.has(&format!(
        "href=\"/app/audiences/{}\"><bdi class=\"text\">Newsletter</bdi>",
        imported.audience
    ));
    told.has("List not found");
}

#[actix_web::test]
async fn a_form_that_is_sent_twice_is_answered_as_if_once() {
    let fixture = Fixture::connected().await;
    let mut browser = fixture.signed_in(Role::Editor).await;
    let one = [("list", "XyZaBc"), ("sync", "ONE_TIME")];
    let first = browser.post(PATH, &one).await;
    let again = browser.post(PATH, &one).await;
    again.leads_to(first.header("location"));
    let several = [("list", "RtPqXs"), ("segment", "SgMnt1")];
    for _ in 0..2 {
        browser
            .post(PATH, &several)
            .await
            .leads_to("/app/audiences?notice=imported");
    }
    let with_another = [("list", "RtPqXs"), ("list", "GoneXX")];
    let told = browser.post(PATH, &with_another).await;
    told.shows("<h2>Being imported</h2>");
    told.has("<bdi class=\"text\">Newsletter</bdi>");
    told.lacks("RtPqXs");
}

#[actix_web::test]
async fn a_wrong_choice_is_told_and_what_was_ticked_stays() {
    let fixture = Fixture::connected().await;
    let mut browser = fixture.signed_in(Role::Editor).await;
    for (form, text) in [
        (
            vec![("sync", "ONE_TIME")],
            "Tick at least one list or segment.",
        ),
        (
            vec![("list", "XyZaBc"), ("sync", "OFTEN")],
            "Choose One-time Import or Continuous Sync.",
        ),
        (
            vec![
                ("list", "XyZaBc"),
                ("sync", "CONTINUOUS"),
                ("refreshIntervalSeconds", "5"),
            ],
            "Refresh every: ",
        ),
    ] {
        let refused = browser.post(PATH, &form).await;
        assert_eq!(refused.status, 400);
        refused.has(text);
        if form.len() > 1 {
            refused.has("value=\"XyZaBc\" checked>");
        }
    }
    let many: Vec<String> = (0..101).map(|n| format!("L{n}")).collect();
    let form: Vec<_> = many.iter().map(|id| ("list", id.as_str())).collect();
    let refused = browser.post(PATH, &form).await;
    assert_eq!(refused.status, 400);
    refused.has("Import at most 100 lists at once.");
    browser
        .get("/app/audiences")
        .await
        .shows("No audiences yet");
}

#[actix_web::test]
async fn a_thousand_lists_have_pages() {
    let mut klaviyo = FakeKlaviyo::default();
    for n in 0..120 {
        klaviyo = klaviyo.with(
            list(&format!("L{n:03}")),
            &format!("List {n:03}"),
            people(0..0),
        );
    }
    let fixture = Fixture::with(klaviyo).await;
    fixture.connect().await;
    let mut browser = fixture.signed_in(Role::Editor).await;
    let mut seen = 0;
    let mut page = browser.get(PATH).await;
    loop {
        page.shows("Import Selected");
        seen += page.text.matches("type=\"checkbox\"").count();
        let Some(button) = page.text.split("name=\"after\" value=\"").nth(1) else {
            break;
        };
        let after = button.split('"').next().unwrap().to_owned();
        page = browser
            .post(PATH, &[("after", &after), ("list", "L000")])
            .await;
    }
    assert_eq!(seen, 120);
    page.has("First page");
}

#[actix_web::test]
async fn what_is_ticked_stays_ticked_on_other_pages_and_while_searching() {
    let fixture = Fixture::connected().await;
    let mut browser = fixture.signed_in(Role::Editor).await;
    let ticked = [
        ("list", "RtPqXs"),
        ("segment", "SgMnt1"),
        ("sync", "CONTINUOUS"),
        ("refreshIntervalSeconds", "3600"),
    ];
    let mut search = vec![("search", "news"), ("act", "find")];
    search.extend(ticked);
    let found = browser.post(PATH, &search).await;
    found.shows("value=\"RtPqXs\" checked>");
    found.has("1 more is ticked on other pages.");
    found.has("<input type=\"hidden\" name=\"segment\" value=\"SgMnt1\">");
    found.has("<option value=\"3600\" selected>");
    found.lacks("VIP");
    // The first button sends what is ticked, whatever is searched for.
    let mut import = vec![("search", "news")];
    import.extend(ticked);
    browser
        .post(PATH, &import)
        .await
        .leads_to("/app/audiences?notice=imported");
    let all = browser.get("/app/audiences").await;
    all.shows("Newsletter");
    all.has("Engaged");
}

#[actix_web::test]
async fn lists_are_as_klaviyo_told_them_and_a_button_asks_again() {
    let fixture = Fixture::connected().await;
    let mut browser = fixture.signed_in(Role::Editor).await;
    browser.get(PATH).await.shows("Klaviyo told these <time");
    fixture.klaviyo.change(|contents| {
        contents.collections.get_mut(&list("XyZaBc")).unwrap().0 = Some("Renamed".to_owned());
    });
    fixture.clock.advance(Duration::from_mins(2));
    browser.get(PATH).await.has("2 minutes ago");
    let again = [("act", "look"), ("list", "XyZaBc")];
    fixture.clock.advance(Duration::from_secs(6));
    let page = browser.post(PATH, &again).await;
    page.shows("Renamed");
    page.has("just now");
    page.has("value=\"XyZaBc\" checked>");
}

#[actix_web::test]
async fn a_rows_size_is_asked_for_by_itself_and_never_breaks_the_table() {
    let fixture = Fixture::connected().await;
    let mut browser = fixture.signed_in(Role::Editor).await;
    let path = format!("{PATH}/estimate?kind=LIST&id=XyZaBc");
    browser
        .get(PATH)
        .await
        .shows("/estimate?kind=LIST&amp;id=XyZaBc");
    let cell = browser.get_partial(&path).await;
    assert!(
        cell.text
            .starts_with("<data value=\"1\">1</data> profile, under a minute"),
        "{}",
        cell.text
    );
    fixture.wait_a_minute();
    let page = browser.get(&path).await;
    page.shows("Back to the import");
    page.has("VIP");
    fixture.wait_a_minute();
    let gone = browser
        .get(&format!("{PATH}/estimate?kind=LIST&id=Nowhere"))
        .await;
    assert_eq!(gone.status, 404);
    fixture.wait_a_minute();
    let busy = KlaviyoError::Throttled(RetryAfter::Unknown);
    fixture.klaviyo.fail_others([Some(busy)]);
    let cell = browser.get_partial(&path).await;
    cell.shows("Not known now");
    cell.has("tries=1\" hx-trigger=\"load delay:20s\"");
    // A count that is not to be had is asked for again, too, and after some tries by a click.
    fixture.clock.advance(Duration::from_mins(10));
    let refused = || Some(KlaviyoError::NotPermitted);
    fixture.klaviyo.fail_others([None, refused()]);
    let cell = browser.get_partial(&path).await;
    cell.shows("tries=1\" hx-trigger=\"load delay:20s\"");
    fixture.clock.advance(Duration::from_mins(10));
    fixture.klaviyo.fail_others([refused()]);
    let cell = browser.get_partial(&format!("{path}&tries=5")).await;
    cell.shows("Not known now: ask again</a>");
}

#[actix_web::test]
async fn klaviyo_that_is_away_or_not_connected_is_told_with_a_way_out() {
    let fixture = Fixture::new().await;
    let mut browser = fixture.signed_in(Role::Admin).await;
    let page = browser.get(PATH).await;
    assert_eq!(page.status, 400);
    page.has("Klaviyo is not connected");
    page.has("Open Integrations");
    fixture.connect().await;
    let away = || Some(KlaviyoError::Unavailable("it is down".to_owned()));
    fixture.klaviyo.fail_others([away(), away(), away()]);
    let page = browser.get(PATH).await;
    assert_eq!(page.status, 502);
    page.has("Klaviyo cannot be reached");
    page.has("Try again");
}
