//! What a page has, found by role and accessible name, as a person or a screen reader finds it; and what is done with it.

use serde_json::{Value, json};

use crate::browser::{Browser, until};
use crate::webdriver::Element;

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
  .filter((element) => element.checkVisibility() && !element.disabled && nameOf(element) === name)
  .filter((element) => !element.closest("[aria-hidden=true]"));
"#;

impl Browser {
    /// The first element of this role and name, if there is one.
    fn find(&self, role: &str, name: &str) -> Option<Element> {
        let found = self.driver.elements(FIND, &[json!(role), json!(name)]);
        found.into_iter().next()
    }

    /// Whether there is one.
    pub(crate) fn has(&self, role: &str, name: &str) -> bool {
        self.find(role, name).is_some()
    }

    /// Waits until there is one.
    pub(crate) fn awaits(&self, role: &str, name: &str) {
        let what = format!("a {role} named {name:?}");
        until(&what, || self.find(role, name));
    }

    /// Fails if there is one. The page must be there already.
    #[track_caller]
    pub(crate) fn lacks(&self, role: &str, name: &str) {
        assert!(!self.has(role, name), "a {role} named {name:?}");
    }

    /// Waits until there is none any more.
    pub(crate) fn awaits_no(&self, role: &str, name: &str) {
        let what = format!("no {role} named {name:?} any more");
        until(&what, || (!self.has(role, name)).then_some(()));
    }

    /// Presses a button, follows a link, ticks a box.
    pub(crate) fn press(&self, role: &str, name: &str) {
        let what = format!("a {role} named {name:?} to press");
        until(&what, || {
            // A part of the page may have been swapped since it was found. What stands under a bar that stays at the window's
            // edge is in view for the driver, which would press the bar.
            let element = self.find(role, name)?;
            let center = "arguments[0].scrollIntoView({ block: 'center', behavior: 'instant' })";
            self.driver.run(center, &[element.argument()]).ok()?;
            self.driver.click(&element).ok()
        });
    }

    /// Types into a field in place of what is in it.
    pub(crate) fn fill(&self, name: &str, text: &str) {
        let what = format!("a field named {name:?} to fill");
        until(&what, || {
            let field = self.find("textbox", name)?;
            self.driver.clear(&field).ok()?;
            self.driver.type_into(&field, text).ok()
        });
    }

    /// Chooses one of a list of options by its text.
    pub(crate) fn choose(&self, name: &str, option: &str) {
        let what = format!("the option {option:?} of {name:?}");
        until(&what, || {
            let list = self.find("combobox", name)?;
            self.driver.type_into(&list, option).ok()?;
            let chosen = "return arguments[0].selectedOptions[0].text";
            let chosen = self.driver.run(chosen, &[list.argument()]).ok()?;
            (chosen == option).then_some(())
        });
    }

    /// What is written in a field.
    pub(crate) fn value(&self, name: &str) -> String {
        let field = self.find("textbox", name).expect("the field");
        let value = self.run("return arguments[0].value", &[field.argument()]);
        value.as_str().unwrap_or_default().to_owned()
    }

    /// Waits until the page shows a text.
    pub(crate) fn sees(&self, text: &str) {
        until(&format!("the text {text:?}"), || {
            self.text().contains(text).then_some(())
        });
    }

    /// Waits until the page's texts are as they should be.
    pub(crate) fn sees_that(&self, what: &str, is_so: impl Fn(&str) -> bool) {
        until(what, || is_so(&self.text()).then_some(()));
    }

    /// The text of the table's row that begins with this.
    fn row(&self, name: &str) -> Option<String> {
        let script = "return [...document.querySelectorAll('tbody tr')].map((row) => row.innerText)
            .find((text) => text.trim().startsWith(arguments[0])) ?? null";
        let row = self.run(script, &[json!(name)]);
        row.as_str().map(str::to_owned)
    }

    /// Waits until the row that begins with a text has all of these texts.
    pub(crate) fn sees_row(&self, name: &str, texts: &[&str]) {
        until(&format!("a row {name:?} with {texts:?}"), || {
            let row = self.row(name)?;
            texts.iter().all(|text| row.contains(text)).then_some(())
        });
    }

    /// The texts of all elements of this selector.
    pub(crate) fn texts(&self, selector: &str) -> Vec<String> {
        let script = "return [...document.querySelectorAll(arguments[0])].map((one) => one.innerText.trim())";
        let Value::Array(texts) = self.run(script, &[json!(selector)]) else {
            return Vec::new();
        };
        let texts = texts.iter().filter_map(Value::as_str);
        texts.map(str::to_owned).collect()
    }

    /// Signs in with a secret key.
    pub(crate) fn sign_in(&self, key: &str) {
        self.open("/auth/sign-in");
        self.fill("Secret key", key);
        self.press("button", "Sign in");
        self.awaits("button", "Sign out");
    }

    pub(crate) fn sign_out(&self) {
        self.press("button", "Sign out");
        self.awaits("button", "Sign in");
    }
}
