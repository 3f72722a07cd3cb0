//! The rules, tested through the crate's public items: what pages do to consumers in a small store, and
//! values, runs, quotas and scans.

mod audiences;
mod chains;
mod changes;
mod converging;
mod deliveries;
mod dividing;
mod door;
mod events;
mod examples;
mod explaining;
mod failed_pages;
mod generate;
mod ids;
mod incremental;
mod issues;
mod leases;
mod merging;
mod pages;
mod quotas;
mod rate_limits;
mod reconciling;
mod runs;
mod scans;
mod search;
mod search_index;
mod seen;
mod shared;
mod texts;
mod times;
mod values;
mod whole_lists;
mod world;
