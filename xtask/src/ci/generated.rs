//! Whether what is generated and committed is what the code generates now.

use anyhow::Result;

use super::Faults;
use crate::prepare;

pub(super) fn check() -> Result<Faults> {
    prepare::stale()
}
