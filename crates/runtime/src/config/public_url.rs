//! Where browsers and webhooks reach the API.

use std::fmt;

use url::Url;

/// The address by which others reach the API, perhaps through a proxy: `https://fanfare.example.com`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl(Url);

impl PublicUrl {
    /// Takes an address of `http` or `https` with a host, perhaps a port and a path, and nothing more.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        const FAULT: &str = "it must be an address such as https://fanfare.example.com, without user, query or fragment";
        let url = Url::parse(text.trim()).map_err(|_| FAULT)?;
        let fits = matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none();
        if fits { Ok(Self(url)) } else { Err(FAULT) }
    }

    /// Whether callers speak TLS.
    pub fn is_secure(&self) -> bool {
        self.0.scheme() == "https"
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_host_and_perhaps_a_path_and_nothing_private() {
        for (text, want) in [
            (
                "https://fanfare.example.com/",
                Some("https://fanfare.example.com"),
            ),
            (
                " https://shop.example.com:8443/fanfare/ ",
                Some("https://shop.example.com:8443/fanfare"),
            ),
            ("http://10.0.0.7:4800", Some("http://10.0.0.7:4800")),
            ("fanfare.example.com", None),
            ("ftp://fanfare.example.com", None),
            ("https://ann:canary@fanfare.example.com", None),
            ("https://fanfare.example.com/?a=b", None),
            ("https://fanfare.example.com/#top", None),
            ("https://", None),
            ("", None),
        ] {
            let url = PublicUrl::parse(text).ok();
            assert_eq!(url.map(|url| url.to_string()).as_deref(), want, "{text}");
        }
        assert!(PublicUrl::parse("https://a").unwrap().is_secure());
        assert!(!PublicUrl::parse("http://a").unwrap().is_secure());
    }
}
