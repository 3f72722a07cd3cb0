//! What a page has, found by role and accessible name, as a person or a screen reader finds it; and what is done with it.

use serde_json::{Value, json};
use thirtyfour::prelude::*;

use crate::browser::{Browser, until};

/// Finds elements by role and name: those that are shown, of the open dialog alone where there is one.
const FIND: &str = r#"
const [role, name] = arguments;
const selectors = {
  button: "button, summary",
  link: "a[href]",
  textbox: "input:not([type]), input[type=text], input[type=search], input[type=password], input[type=email], input[type=datetime-local], textarea",
  checkbox: "input[type=checkbox]",
  radio: "input[type=radio]",
  combobox: "select",
  heading: "h1, h2, h3",
  progressbar: "progress",
};
const text = (element) => (element.innerText ?? element.textContent).replace(/\s+/g, " ").trim();
const nameOf = (element) =>
  element.getAttribute("aria-label") ?? (element.labels?.length ? text(element.labels[0]) : text(element));
const place = document.querySelector("dialog:modal") ?? document;
return [...place.querySelectorAll(selectors[role])]
  .filter((element) => element.checkVisibility() && !element.disabled && nameOf(element) === name);
"#;

impl Browser {
    /// The first element of this role and name, if there is one.
    async fn find(&self, role: &str, name: &str) -> Option<WebElement> {
        let found = self.driver.execute(FIND, vec![json!(role), json!(name)]);
        let elements = found.await.ok()?.elements().ok()?;
        elements.into_iter().next()
    }

    /// Whether there is one.
    pub(crate) async fn has(&self, role: &str, name: &str) -> bool {
        self.find(role, name).await.is_some()
    }

    /// Waits until there is one.
    pub(crate) async fn awaits(&self, role: &str, name: &str) {
        let what = format!("a {role} named {name:?}");
        until(&what, async || self.find(role, name).await).await;
    }

    /// Fails if there is one. The page must be there already.
    #[track_caller]
    pub(crate) fn lacks<'a>(
        &'a self,
        role: &'a str,
        name: &'a str,
    ) -> impl Future<Output = ()> + 'a {
        let caller = std::panic::Location::caller();
        async move {
            let has = self.has(role, name).await;
            assert!(!has, "a {role} named {name:?} at {caller}");
        }
    }

    /// Presses a button, follows a link, ticks a box.
    pub(crate) async fn press(&self, role: &str, name: &str) {
        let what = format!("a {role} named {name:?} to press");
        until(&what, async || {
            // A part of the page may have been swapped since it was found.
            self.find(role, name).await?.click().await.ok()
        })
        .await;
    }

    /// Types into a field in place of what is in it.
    pub(crate) async fn fill(&self, name: &str, text: &str) {
        let what = format!("a field named {name:?} to fill");
        until(&what, async || {
            let field = self.find("textbox", name).await?;
            field.clear().await.ok()?;
            field.send_keys(text).await.ok()
        })
        .await;
    }

    /// Chooses one of a list of options by its text.
    pub(crate) async fn choose(&self, name: &str, option: &str) {
        let what = format!("the option {option:?} of {name:?}");
        until(&what, async || {
            let list = self.find("combobox", name).await?;
            list.send_keys(option).await.ok()?;
            let chosen = "return arguments[0].selectedOptions[0].text";
            let chosen = self
                .driver
                .execute(chosen, vec![list.to_json().ok()?])
                .await
                .ok()?;
            (chosen.json() == option).then_some(())
        })
        .await;
    }

    /// What is written in a field.
    pub(crate) async fn value(&self, name: &str) -> String {
        let field = self.find("textbox", name).await.expect("the field");
        let value = field.prop("value").await.expect("an answer");
        value.unwrap_or_default()
    }

    /// Waits until the page shows a text.
    pub(crate) async fn sees(&self, text: &str) {
        until(&format!("the text {text:?}"), async || {
            self.text().await.contains(text).then_some(())
        })
        .await;
    }

    /// Waits until the page's texts are as they should be.
    pub(crate) async fn sees_that(&self, what: &str, is_so: impl Fn(&str) -> bool) {
        until(what, async || is_so(&self.text().await).then_some(())).await;
    }

    /// The cells of a table's column by the texts of its rows' beginnings: what the row that begins with this text has.
    pub(crate) async fn row(&self, name: &str) -> Option<String> {
        let script = "return [...document.querySelectorAll('tbody tr')].map((row) => row.innerText)
            .find((text) => text.trim().startsWith(arguments[0])) ?? null";
        let row = self.run(script, vec![json!(name)]).await;
        row.as_str().map(str::to_owned)
    }

    /// Waits until the row that begins with a text has all of these texts.
    pub(crate) async fn sees_row(&self, name: &str, texts: &[&str]) {
        until(&format!("a row {name:?} with {texts:?}"), async || {
            let row = self.row(name).await?;
            texts.iter().all(|text| row.contains(text)).then_some(())
        })
        .await;
    }

    /// The texts of all elements of this selector.
    pub(crate) async fn texts(&self, selector: &str) -> Vec<String> {
        let script = "return [...document.querySelectorAll(arguments[0])].map((one) => one.innerText.trim())";
        let Value::Array(texts) = self.run(script, vec![json!(selector)]).await else {
            return Vec::new();
        };
        let texts = texts.iter().filter_map(Value::as_str);
        texts.map(str::to_owned).collect()
    }

    /// Signs in with a secret key.
    pub(crate) async fn sign_in(&self, key: &str) {
        self.open("/auth/sign-in").await;
        self.fill("Secret key", key).await;
        self.press("button", "Sign in").await;
        self.awaits("button", "Sign out").await;
    }

    pub(crate) async fn sign_out(&self) {
        self.press("button", "Sign out").await;
        self.awaits("button", "Sign in").await;
    }
}
