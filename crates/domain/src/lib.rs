//! Consumers, audiences, sync sources and runs: values, rules and ports.
