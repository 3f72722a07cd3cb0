//! What is done in Fanfare reaches Klaviyo: a consumer's name and back, and the winners of a draw as a list that is kept so.

use std::collections::BTreeSet;
use std::time::Duration;

use fanfare_klaviyo_sim::{
    AccountHandle, AccountPlan, Delays, FlowPlan, FlowTrigger, Key, Kind, Latency, Plan, Profile,
    Quota, RunningSimulator, Simulator,
};

use crate::KLAVIYO_KEY;
use crate::browser::{Browser, until, with_browser};
use crate::installation::Installation;

/// The list that is imported.
const VIP: &str = "XyZaBc";

#[test]
fn a_marketer_keeps_contacts_equal_and_gives_an_audience_back_as_a_list() {
    let klaviyo = klaviyo();
    let installation = Installation::start_beside(&klaviyo);
    installation.connect();
    installation.import(&[VIP], &[]);
    let account = klaviyo.account();
    let people = people(&installation, &account);
    let address = installation.api.address.clone();
    with_browser(&address, |browser| {
        browser.sign_in(&installation.owner);
        fills_an_audience_by_hand(browser, &people);
        let list = pushes_it(browser, &account, &people);
        // Changes of ten seconds are collected, and other things are done meanwhile.
        changes_who_is_in(browser, &people);
        looks_at_runs_and_the_limit(browser);
        switches_contacts_on(browser);
        changes_a_name_here_and_there(browser, &installation, &account, &people[0]);
        let expected = emails(people[1..4].iter());
        until("the list to follow", || {
            (members(&account, &list) == expected).then_some(())
        });
        gives_the_list_up(browser);
    });
}

fn klaviyo() -> RunningSimulator {
    let mut account = AccountPlan::new("FnfSm0").list(VIP, "VIP Customers", 40);
    account.keys = vec![Key::new(KLAVIYO_KEY)];
    let mut plan = Plan::new([account]);
    plan.latency = Latency::exactly(Duration::from_millis(20));
    plan.quota = Quota::Unlimited;
    plan.switches.delays = Delays::NONE;
    Simulator::start(plan).expect("a simulator")
}

/// Somebody in Klaviyo and in Fanfare.
struct Person {
    profile: String,
    consumer: String,
    email: String,
    name: String,
}

/// Some whom both sides know by e-mail and name.
fn people(installation: &Installation, account: &AccountHandle) -> Vec<Person> {
    let members = account.members(VIP).expect("members").into_iter();
    let people = members.filter_map(|member| person(installation, member.profile));
    let people: Vec<Person> = people.take(4).collect();
    assert_eq!(people.len(), 4);
    people
}

fn person(installation: &Installation, profile: Profile) -> Option<Person> {
    let email = profile.email?.trim().to_lowercase();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || ['@', '.', ' '].contains(&c);
    if !email.contains('@') || !email.chars().all(is_plain) {
        return None;
    }
    let path = format!("/api/consumers/search?email={email}");
    let found = installation.ask("GET", &path, None);
    let consumer = &found[0];
    let name = consumer["fullName"].as_str()?;
    name.chars().all(is_plain).then(|| Person {
        profile: profile.id,
        consumer: consumer["id"].as_str().unwrap_or_default().to_owned(),
        name: name.to_owned(),
        email,
    })
}

fn emails<'a>(people: impl Iterator<Item = &'a Person>) -> BTreeSet<String> {
    people.map(|person| person.email.clone()).collect()
}

/// The e-mails of a list's members.
fn members(account: &AccountHandle, list: &str) -> BTreeSet<String> {
    let members = account.members(list).expect("members").into_iter();
    let emails = members.filter_map(|member| member.profile.email);
    emails.map(|email| email.trim().to_lowercase()).collect()
}

/// Two are added by e-mail and one is picked; whoever is not known is told.
fn fills_an_audience_by_hand(browser: &Browser, people: &[Person]) {
    browser.press("link", "Create Audience");
    browser.fill("Name", "Winners");
    browser.press("button", "Create Audience");
    browser.sees("The audience was created.");
    browser.photograph_in_every_look("audience-by-hand-empty");
    let typed = format!(
        "{}, nobody@example.com {}",
        people[0].email, people[1].email
    );
    browser.fill("E-mails", &typed);
    browser.press("button", "Add members");
    browser.sees("2 members were added.");
    browser.sees("no consumer with this e-mail: nobody@example.com.");
    assert_eq!(browser.value("E-mails"), "nobody@example.com");
    photograph(browser, "audience-by-hand");
    browser.press("link", "Pick consumers");
    browser.press("checkbox", &format!("Select {}", people[2].name));
    browser.sees("1 selected");
    // What is ticked stays ticked while somebody looks for others.
    browser.fill("Search", &people[2].email);
    browser.sees_that("one consumer", |text| text.matches('@').count() == 1);
    browser.sees("1 selected");
    photograph(browser, "audience-pick");
    browser.press("button", "Add Selected");
    browser.sees("1 member was added.");
    browser.press("link", "Back to the members");
    browser.awaits("button", "Remove Selected");
    for person in &people[..3] {
        browser.sees(&person.email);
    }
}

/// The list is made, and what a push would do is seen before it is done.
fn pushes_it(browser: &Browser, account: &AccountHandle, people: &[Person]) -> String {
    browser.press("link", "Keep in Klaviyo");
    browser.fill("Name of the new list", "Draw winners");
    browser.press("button", "Keep it in this list");
    browser.sees("The list was chosen.");
    browser.photograph_in_every_look("push-chosen");
    let mut lists = account.collections(Kind::List).expect("lists").into_iter();
    let list = lists.rfind(|list| list != VIP);
    let list = list.expect("the new list");
    let trigger = FlowTrigger::List(list.clone());
    let flow = FlowPlan::live("WeLcOm", "Congratulations", trigger);
    account.add_flow(flow).expect("a flow");
    browser.press("button", "Preview a push");
    browser.sees("3 people would be mailed");
    browser.sees_row("Congratulations", &["Live", "Yes, by itself"]);
    assert_eq!(members(account, &list), BTreeSet::new());
    photograph(browser, "push-preview");
    browser.press("button", "Push: add 3, remove 0");
    browser.sees("Changes of the audience follow by themselves");
    assert_eq!(members(account, &list), emails(people[..3].iter()));
    photograph(browser, "push-followed");
    list
}

/// One goes and another comes.
fn changes_who_is_in(browser: &Browser, people: &[Person]) {
    browser.press("link", "Members");
    browser.press("checkbox", &format!("Select {}", people[0].name));
    browser.press("button", "Remove Selected");
    browser.sees("1 member was removed.");
    browser.fill("E-mails", &people[3].email);
    browser.press("button", "Add members");
    browser.sees("1 member was added.");
    browser.sees(&people[3].email);
}

fn looks_at_runs_and_the_limit(browser: &Browser) {
    browser.press("link", "Runs");
    browser.sees_row("Push confirmed", &["Success", "Complete push", "3"]);
    photograph(browser, "audience-runs-of-pushes");
    browser.press("link", "Keep in Klaviyo");
    let field = "Most people whom a push changes";
    browser.fill(field, "many");
    browser.press("button", "Save");
    browser.sees("Give a whole number");
    browser.photograph_in_every_look("push-limit-fault");
    // Sent by the return key: a fast browser would press the button within the time of a double click.
    browser.fill(field, "500\u{e007}");
    browser.sees("The number was saved.");
    assert_eq!(browser.value(field), "500");
}

fn switches_contacts_on(browser: &Browser) {
    browser.press("link", "Settings");
    browser.press("link", "Manage Klaviyo");
    browser.press("button", "Contact settings");
    browser.press(
        "checkbox",
        "Send changes of names and phone numbers to Klaviyo",
    );
    browser.press("radio", "Fanfare");
    browser.press("button", "Preview");
    browser.sees("Not saved yet.");
    browser.sees_row("Changed in both, in Klaviyo last", &["Ann Smith"]);
    browser.press("button", "Save");
    browser.sees("Switch contacts on?");
    photograph(browser, "contacts-question");
    browser.press("button", "Yes, switch contacts on");
    browser.sees("The settings were saved.");
}

fn changes_a_name_here_and_there(
    browser: &Browser,
    installation: &Installation,
    account: &AccountHandle,
    person: &Person,
) {
    let path = format!("/app/customers/{}", person.consumer);
    browser.open(&path);
    browser.press("link", "Edit");
    browser.fill("Name", "Ada King");
    browser.press("button", "Save");
    browser.sees("The consumer was saved.");
    let name = || {
        let profile = account.profile(&person.profile).expect("an account");
        let profile = profile.expect("the profile");
        let names = [profile.first_name, profile.last_name].into_iter();
        names.flatten().collect::<Vec<_>>().join(" ")
    };
    until("the name in Klaviyo", || {
        (name() == "Ada King").then_some(())
    });
    browser.sees_that("what went to Klaviyo", |text| {
        text.contains("Contact changed") && text.contains("Sent")
    });
    photograph(browser, "customer-changed");

    let changed = account.update(&person.profile, |profile| {
        profile.first_name = Some("Grace".to_owned());
        profile.last_name = Some("Hopper".to_owned());
    });
    changed.expect("a change in Klaviyo");
    let audience = installation.audience("VIP Customers");
    browser.open(&format!("/app/audiences/{audience}"));
    browser.press("button", "Sync now");
    until("the name in Fanfare", || {
        browser.open(&path);
        browser.text().contains("Grace Hopper").then_some(())
    });
    assert_eq!(name(), "Grace Hopper", "no echo");
}

fn gives_the_list_up(browser: &Browser) {
    browser.press("link", "Audiences");
    browser.press("link", "Winners");
    browser.press("link", "Keep in Klaviyo");
    browser.press("link", "Stop keeping it");
    browser.sees("Whoever is in the list stays there.");
    browser.photograph_in_every_look("push-stop");
    browser.press("button", "Yes, stop");
    browser.sees("The audience is kept in no list any more.");
}

fn photograph(browser: &Browser, name: &str) {
    browser.photograph_in_every_look(name);
    browser.is_accessible(name);
}
