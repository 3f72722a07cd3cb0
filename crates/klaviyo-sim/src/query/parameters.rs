//! A query string, in its own order, so that links can repeat it.

use url::form_urlencoded::{self, Serializer};

use crate::refusal::Refusal;

/// Decoded names and values.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Parameters(Vec<(String, String)>);

const CURSOR: &str = "page[cursor]";

impl Parameters {
    /// Reads a query string.
    pub(crate) fn parse(query: &str) -> Self {
        Self(
            form_urlencoded::parse(query.as_bytes())
                .into_owned()
                .collect(),
        )
    }

    /// A parameter by its name; the last one if there are several.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().rev().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The cursor. Klaviyo's own client for Python leaves the sign before it there.
    pub(crate) fn cursor(&self) -> Option<&str> {
        self.get(CURSOR)
            .map(|text| text.strip_prefix('=').unwrap_or(text))
    }

    /// The comma-separated values of a parameter.
    pub(crate) fn values(&self, name: &str) -> impl Iterator<Item = &str> {
        let list = self.get(name).unwrap_or_default();
        list.split(',')
            .map(str::trim)
            .filter(|value| !value.is_empty())
    }

    /// Whether `additional-fields[of]` asks for a field.
    pub(crate) fn adds(&self, of: &str, field: &str) -> bool {
        self.values(&format!("additional-fields[{of}]"))
            .any(|value| value == field)
    }

    /// Whether `include` asks for a relationship.
    pub(crate) fn includes(&self, relationship: &str) -> bool {
        self.values("include").any(|value| value == relationship)
    }

    /// The page size, of `(usual, most)`.
    pub(crate) fn page_size(&self, (usual, most): (usize, usize)) -> Result<usize, Refusal> {
        let Some(text) = self.get("page[size]") else {
            return Ok(usual);
        };
        let size = text.parse().ok().filter(|size| (1..=most).contains(size));
        size.ok_or_else(|| {
            let detail = format!("Page size must be an integer between 1 and {most}.");
            Refusal::parameter("page[size]", detail)
        })
    }

    /// Refuses what a parameter does not take.
    pub(crate) fn check(
        &self,
        name: &str,
        allowed: &[&str],
        refuse: impl Fn(&str) -> String,
    ) -> Result<(), Refusal> {
        let mut values = self.values(name);
        let bad = values.find(|value| !allowed.contains(value));
        bad.map_or(Ok(()), |bad| Err(Refusal::parameter(name, refuse(bad))))
    }

    /// Refuses a relationship that cannot be included.
    pub(crate) fn check_include(&self, allowed: &[&str]) -> Result<(), Refusal> {
        self.check("include", allowed, |bad| {
            format!("'{bad}' is not an allowed include parameter for this resource.")
        })
    }

    /// The sort field without its sign, and whether it is descending.
    pub(crate) fn sort(&self, allowed: &[&str]) -> Result<Option<(&str, bool)>, Refusal> {
        let Some(text) = self.get("sort") else {
            return Ok(None);
        };
        let field = text.strip_prefix('-').unwrap_or(text);
        if allowed.contains(&field) {
            return Ok(Some((field, text.starts_with('-'))));
        }
        let allowed = allowed.join(", ");
        let detail = format!(
            "'{text}' is not a sortable field for this resource. The sortable fields on this \
             resource are: {allowed}"
        );
        Err(Refusal::parameter("sort", detail))
    }

    /// The query string again, with another cursor or none.
    pub(crate) fn with_cursor(&self, cursor: &str) -> String {
        let mut query = Serializer::new(String::new());
        query.extend_pairs(self.0.iter().filter(|(name, _)| name != CURSOR));
        query.append_pair(CURSOR, cursor);
        query.finish()
    }

    /// The query string again.
    pub(crate) fn encode(&self) -> String {
        Serializer::new(String::new())
            .extend_pairs(&self.0)
            .finish()
    }
}
