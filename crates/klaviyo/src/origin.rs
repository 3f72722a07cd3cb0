//! The origin to which all requests are sent.

use std::fmt;

use url::{Host, Url};

/// Scheme, host and port of Klaviyo's API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin(Url);

/// Why a text is not an origin that may be contacted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidOrigin {
    /// It is not an address, or its scheme is not `http` or `https`.
    #[error("it is not an address such as https://a.klaviyo.com")]
    NotAnAddress,
    /// Unencrypted HTTP to another machine would show the key to the network in between.
    #[error("plain http is allowed to this machine only; use https")]
    NotSecure,
    /// It has more parts than scheme, host and port.
    #[error("it must be a scheme, a host and perhaps a port, and nothing more")]
    MoreThanAnOrigin,
}

impl Origin {
    /// Parses `https://HOST[:PORT]`, or `http://` if the host is a loopback address.
    pub fn parse(text: &str) -> Result<Self, InvalidOrigin> {
        let url = Url::parse(text.trim()).map_err(|_| InvalidOrigin::NotAnAddress)?;
        let host = url.host().ok_or(InvalidOrigin::NotAnAddress)?;
        match url.scheme() {
            "https" => {}
            "http" if is_loopback(&host) => {}
            "http" => return Err(InvalidOrigin::NotSecure),
            _ => return Err(InvalidOrigin::NotAnAddress),
        }
        let is_bare = url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none();
        if is_bare {
            Ok(Self(url))
        } else {
            Err(InvalidOrigin::MoreThanAnOrigin)
        }
    }

    /// Whether connections to it are encrypted.
    pub(crate) fn is_secure(&self) -> bool {
        self.0.scheme() == "https"
    }

    /// The origin's root, to which paths are added.
    pub(crate) const fn root(&self) -> &Url {
        &self.0
    }

    /// Whether the address has this origin.
    pub(crate) fn is_of(&self, url: &Url) -> bool {
        self.0.origin() == url.origin()
    }
}

fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => name.eq_ignore_ascii_case("localhost"),
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, want: Result<&str, InvalidOrigin>) {
        let got = Origin::parse(text).map(|origin| origin.to_string());
        assert_eq!(got.as_deref().map_err(|error| *error), want, "{text}");
    }

    #[test]
    fn only_https_or_this_machine_is_ever_contacted() {
        check("https://a.klaviyo.com", Ok("https://a.klaviyo.com"));
        check(" https://A.Klaviyo.com/ ", Ok("https://a.klaviyo.com"));
        check("http://127.0.0.1:4900", Ok("http://127.0.0.1:4900"));
        check("http://[::1]:4900", Ok("http://[::1]:4900"));
        check("http://localhost:4900", Ok("http://localhost:4900"));
        check("http://a.klaviyo.com", Err(InvalidOrigin::NotSecure));
        check(
            "http://127.0.0.1.example.com",
            Err(InvalidOrigin::NotSecure),
        );
        check("ftp://a.klaviyo.com", Err(InvalidOrigin::NotAnAddress));
        check("a.klaviyo.com", Err(InvalidOrigin::NotAnAddress));
        check("", Err(InvalidOrigin::NotAnAddress));
        for more in [
            "https://a.klaviyo.com/api",
            "https://a.klaviyo.com/?a=b",
            "https://a.klaviyo.com/#a",
            "https://user@a.klaviyo.com",
            "https://:secret@a.klaviyo.com",
        ] {
            check(more, Err(InvalidOrigin::MoreThanAnOrigin));
        }
    }
}
