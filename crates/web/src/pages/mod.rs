//! The pages, one module each.

mod audience;
mod audiences;
mod customers;
mod deliveries;
#[cfg(debug_assertions)]
mod gallery;
mod importing;
mod integrations;
mod interval;
mod making;
pub(crate) mod sign_in;

pub(crate) use audience::duplicates;

use crate::router::PageRoute;

/// Every page and form.
pub(crate) fn routes() -> Vec<PageRoute> {
    let of_files = [
        sign_in::routes,
        audiences::routes,
        importing::routes,
        making::routes,
        audience::routes,
        customers::routes,
        deliveries::routes,
        integrations::routes,
        #[cfg(debug_assertions)]
        gallery::routes,
    ];
    of_files.into_iter().flat_map(|routes| routes()).collect()
}
