//! The rules, tested from outside: what a page does to a small world of consumers, and the values,
//! runs, quotas and walks beside it.

mod audiences;
mod examples;
mod generate;
mod issues;
mod merging;
mod pages;
mod quotas;
mod runs;
mod scans;
mod times;
mod values;
mod words;
mod world;
