//! Corrupts a right answer on purpose.

use serde_json::Value;

use super::{Effect, Shape};
use crate::query::{Cursor, CursorPosition, Parameters, SortKey, fingerprint};

/// Makes links to the page that is answered and to the first page of the same list.
pub(crate) struct PageLinks<'a> {
    pub(crate) base: &'a str,
    pub(crate) path: &'a str,
    pub(crate) parameters: &'a Parameters,
    /// Microseconds since the epoch.
    pub(crate) now: i64,
    pub(crate) page: u32,
}

/// The body with one of the effects that change bodies; others leave it as it is.
pub(crate) fn corrupt(body: Vec<u8>, effect: &Effect, links: &PageLinks<'_>) -> Vec<u8> {
    match effect {
        Effect::Empty => Vec::new(),
        Effect::Shape(shape) => misshape(body, *shape),
        Effect::Surrogate => insert_into_text(body, b"\\ud83d"),
        Effect::BrokenByte => insert_into_text(body, b"\xff"),
        Effect::DoubledName => double_a_name(body),
        Effect::Enlarge(bytes) => enlarge(body, *bytes),
        Effect::ByteOrderMark => [b"\xef\xbb\xbf", body.as_slice()].concat(),
        Effect::Loop => relink(body, &links.to_this_page()),
        Effect::FreshLoop => relink(body, &links.to_first_page()),
        Effect::ForeignLink => {
            let foreign = PageLinks {
                base: "https://klaviyo.example",
                ..*links
            };
            relink(body, &foreign.to_first_page())
        }
        _ => body,
    }
}

impl PageLinks<'_> {
    fn to_this_page(&self) -> String {
        match self.parameters.cursor() {
            Some(cursor) => self.link(cursor),
            // A first page has no cursor: the one that leads to it is made.
            None => self.to_first_page(),
        }
    }

    fn to_first_page(&self) -> String {
        let get = |name| self.parameters.get(name).unwrap_or_default();
        let sort = get("sort");
        let is_time = ["joined_group_at", "created", "updated"]
            .contains(&sort.strip_prefix('-').unwrap_or(sort));
        let is_descending = sort.starts_with('-');
        let key = match (is_time, is_descending) {
            (true, false) => SortKey::Time(i64::MIN),
            (true, true) => SortKey::Time(i64::MAX),
            (false, _) => SortKey::Missing,
        };
        let id = if is_descending { "~" } else { "" }.to_owned();
        let cursor = Cursor {
            position: CursorPosition { key, id },
            is_forward: true,
            made: self.now,
            page: self.page.saturating_add(1),
            made_for: fingerprint(&[self.path, get("filter"), sort]),
        };
        self.link(&cursor.encode())
    }

    fn link(&self, cursor: &str) -> String {
        let query = self.parameters.with_cursor(cursor);
        format!("{}{}?{query}", self.base, self.path)
    }
}

/// Changes a JSON document; anything else stays.
fn edit(body: Vec<u8>, change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let Ok(mut document) = serde_json::from_slice(&body) else {
        return body;
    };
    change(&mut document);
    serde_json::to_vec(&document).unwrap_or(body)
}

fn relink(body: Vec<u8>, next: &str) -> Vec<u8> {
    edit(body, |document| {
        if document["links"].is_object() {
            document["links"]["next"] = next.into();
        }
    })
}

fn misshape(body: Vec<u8>, shape: Shape) -> Vec<u8> {
    let remove = |document: &mut Value, name: &str| {
        let resources = document["data"].as_array_mut();
        for resource in resources.into_iter().flatten() {
            if let Some(resource) = resource.as_object_mut() {
                resource.remove(name);
            }
        }
    };
    match shape {
        Shape::NotJson => b"{\"data\": [oops".to_vec(),
        Shape::DataIsText => edit(body, |document| document["data"] = "profiles".into()),
        Shape::DataIsNull => edit(body, |document| document["data"] = Value::Null),
        Shape::NoLinks => edit(body, |document| {
            if let Some(document) = document.as_object_mut() {
                document.remove("links");
            }
        }),
        Shape::NoIds => edit(body, |document| remove(document, "id")),
        Shape::NoAttributes => edit(body, |document| remove(document, "attributes")),
    }
}

/// Lengthens the names of the profiles by so many bytes in all, evenly.
fn enlarge(body: Vec<u8>, bytes: usize) -> Vec<u8> {
    edit(body, |document| {
        let Some(profiles) = document["data"].as_array_mut() else {
            return;
        };
        let names = ["first_name", "last_name"];
        let more = "x".repeat(bytes.div_ceil((names.len() * profiles.len()).max(1)));
        for profile in profiles {
            for name in names {
                let name = &mut profile["attributes"][name];
                *name = [name.as_str().unwrap_or_default(), &more].concat().into();
            }
        }
    })
}

/// Attributes that are texts.
const TEXTS: [&str; 4] = ["first_name", "last_name", "name", "email"];

/// Puts bytes at the start of the first name or e-mail.
fn insert_into_text(mut body: Vec<u8>, bytes: &[u8]) -> Vec<u8> {
    for name in TEXTS {
        let name = format!("\"{name}\":\"");
        if let Some(at) = position(&body, &name) {
            let at = at + name.len();
            body.splice(at..at, bytes.iter().copied());
            return body;
        }
    }
    body
}

/// Puts a number under the name of the first name or e-mail before it.
fn double_a_name(mut body: Vec<u8>) -> Vec<u8> {
    for name in TEXTS {
        let name = format!("\"{name}\":");
        if let Some(at) = position(&body, &name) {
            body.splice(at..at, format!("{name}7,").into_bytes());
            return body;
        }
    }
    body
}

fn position(body: &[u8], text: &str) -> Option<usize> {
    body.windows(text.len())
        .position(|window| window == text.as_bytes())
}
