//! Names of metrics.

/// The longest name, in characters: Klaviyo takes fewer than 128.
const MAX_CHARS: usize = 127;

/// The name of a Klaviyo metric.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MetricName(String);

/// A text that is no name of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a metric's name is 1 to {MAX_CHARS} characters, none of them a control character")]
pub struct InvalidMetricName;

impl MetricName {
    /// Takes a name without the white space around it.
    pub fn parse(text: &str) -> Result<Self, InvalidMetricName> {
        let text = text.trim();
        let fits = !text.is_empty()
            && text.chars().count() <= MAX_CHARS
            && !text.chars().any(char::is_control);
        fits.then(|| Self(text.to_owned())).ok_or(InvalidMetricName)
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for MetricName {
    type Error = InvalidMetricName;

    fn try_from(text: String) -> Result<Self, InvalidMetricName> {
        Self::parse(&text)
    }
}

impl From<MetricName> for String {
    fn from(name: MetricName) -> Self {
        name.0
    }
}

impl std::fmt::Display for MetricName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_fewer_than_128_characters() {
        let parsed = |text: &str| MetricName::parse(text).map(|name| name.to_string());
        assert_eq!(
            parsed(" Fanfare Purchase "),
            Ok("Fanfare Purchase".to_owned())
        );
        assert!(parsed(&"ä".repeat(127)).is_ok());
        for text in ["", "  ", "a\nb", &"a".repeat(128)] {
            assert_eq!(parsed(text), Err(InvalidMetricName));
        }
    }
}
