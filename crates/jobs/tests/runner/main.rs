//! The runner on real files, with apalis's own worker between the store's job notifications and the engine.

mod endings;
mod fairness;
mod notifications;
mod postgres;
mod queues;
mod support;
mod tidying;
mod trouble;
mod year;
