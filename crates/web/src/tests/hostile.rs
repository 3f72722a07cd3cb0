//! Names that want to be more than text.

use fanfare_domain::organization::Role;
use fanfare_testkit::build::{list, profile};
use fanfare_testkit::fake_klaviyo::FakeKlaviyo;

use super::fixture::Fixture;

const SCRIPT: &str = "<script>alert('1')</script>\"><img src=x onerror=alert(1)>";

#[actix_web::test]
async fn script_in_names_of_lists_and_people_is_shown_as_text() {
    let person = profile("<b>P1</b>")
        .email("ada@example.com")
        .first_name(SCRIPT);
    let skipped = profile("P2\"><script>").first_name("nobody");
    let klaviyo = FakeKlaviyo::default().with(list("<i>l</i>"), SCRIPT, vec![person, skipped]);
    let fixture = Fixture::with(klaviyo).await;
    fixture.connect().await;
    let imported = fixture.import(&fixture.own.id, "<i>l</i>").await;
    fixture.work(&imported.run).await;
    let mut browser = fixture.signed_in(Role::Owner).await;
    let audience = format!("/app/audiences/{}", imported.audience);
    for tab in ["", "/members", "/issues", "/runs", "/edit", "/delete"] {
        let page = browser.get(&format!("{audience}{tab}")).await;
        assert_eq!(page.status, 200, "{tab}: {}", page.text);
        page.has("&lt;script&gt;");
        for raw in ["<script>", "<img src=x", "<b>P1", "<i>l"] {
            page.lacks(raw);
        }
    }
    browser.get("/app/audiences").await.shows("&lt;script&gt;");
    let searched = browser
        .get("/app/audiences?search=%22%3E%3Cscript%3E")
        .await;
    searched.shows("value=\"&quot;&gt;&lt;script&gt;\"");
    searched.lacks("<script>");
}

#[actix_web::test]
async fn a_name_of_ten_thousand_characters_is_cut_in_its_row() {
    let long = "ü".repeat(10_000);
    let person = profile("P1").email("ada@example.com").first_name(&long);
    let klaviyo = FakeKlaviyo::default().with(list("RtPqXs"), &long, vec![person]);
    let fixture = Fixture::with(klaviyo).await;
    fixture.connect().await;
    let imported = fixture.import(&fixture.own.id, "RtPqXs").await;
    fixture.work(&imported.run).await;
    let mut browser = fixture.signed_in(Role::Viewer).await;
    let list = browser.get("/app/audiences").await;
    list.shows("ü…");
    let members = browser
        .get(&format!("/app/audiences/{}/members", imported.audience))
        .await;
    members.shows("ada@example.com");
    for page in [list, members] {
        assert!(page.text.matches('ü').count() < 3_000);
    }
}
