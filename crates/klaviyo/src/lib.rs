//! Klaviyo's HTTP API behind the domain's Klaviyo port.
