//! A stateful Klaviyo: accounts, lists, segments, profiles, quotas, faults.
