//! What the dependencies' licences allow, where they come from, and which we do without.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use cargo_metadata::{Metadata, Package};
use spdx::{Expression, LicenseItem, ParseMode};

use super::Faults;
use crate::workspace;

/// Licences that let us ship binaries without further duties than naming their authors.
const ALLOWED: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Packages whose manifest points at a text instead of naming a licence, and what stands there.
const READ: &[(&str, &str)] = &[("apalis-postgres", "MIT")];

/// The one registry, as cargo names it however it is mirrored.
const CRATES_IO: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Packages that may not come in, and why.
const BANNED: &[(&str, &str)] = &[
    (
        "aws-lc-rs",
        "ring is the one TLS provider; a second one doubles the build",
    ),
    (
        "aws-lc-sys",
        "ring is the one TLS provider; a second one doubles the build",
    ),
    ("native-tls", "TLS is rustls everywhere"),
    ("openssl", "TLS is rustls everywhere"),
    (
        "openssl-sys",
        "needs a system library that nobody should have to install",
    ),
];

/// Packages of which two versions at once would be two runtimes, pools or TLS stacks.
const ONE_VERSION: &[&str] = &[
    "actix-web",
    "apalis-core",
    "chrono",
    "libsqlite3-sys",
    "reqwest",
    "rustls",
    "sqlx",
    "time",
    "tokio",
];

pub(super) fn check() -> Result<Faults> {
    let metadata = workspace::metadata()?;
    let used = used_packages(&metadata)?;
    let mut faults = Faults::new();
    let mut versions: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for package in used {
        let name = package.name.as_str();
        versions
            .entry(name)
            .or_default()
            .insert(package.version.to_string());
        faults.extend(
            BANNED
                .iter()
                .filter(|(banned, _)| *banned == name)
                .map(|(_, why)| {
                    format!(
                        "{name} is banned: {why}; `cargo tree --invert {name}` tells who needs it"
                    )
                }),
        );
        // Ours have no source.
        let Some(source) = &package.source else {
            continue;
        };
        if source.repr != CRATES_IO {
            faults.push(format!(
                "{name} comes from {} instead of crates.io",
                source.repr
            ));
        }
        let read = READ.iter().find(|(read, _)| *read == name);
        let licence = read.map(|(_, licence)| *licence);
        if let Err(why) = allow(package.license.as_deref().or(licence)) {
            faults.push(format!("{name} {}: {why}", package.version));
        }
    }
    for name in ONE_VERSION {
        if let Some(versions) = versions.get(name).filter(|versions| versions.len() > 1) {
            let versions: Vec<&str> = versions.iter().map(String::as_str).collect();
            faults.push(format!(
                "{name} is there more than once: {}",
                versions.join(", ")
            ));
        }
    }
    Ok(faults)
}

/// The packages that are really built, tests and build scripts included.
fn used_packages(metadata: &Metadata) -> Result<Vec<&Package>> {
    let resolve = metadata
        .resolve
        .as_ref()
        .context("cargo metadata resolved nothing")?;
    let used: BTreeSet<_> = resolve.nodes.iter().map(|node| &node.id).collect();
    Ok(metadata
        .packages
        .iter()
        .filter(|package| used.contains(&package.id))
        .collect())
}

/// Whether a licence expression can be met with allowed licences alone.
fn allow(licence: Option<&str>) -> Result<(), String> {
    let Some(licence) = licence else {
        return Err("it names no licence".to_owned());
    };
    // `MIT/Apache-2.0` is an old way to write `OR`.
    let expression = Expression::parse_mode(licence, ParseMode::LAX).map_err(|error| {
        format!(
            "its licence `{licence}` is no SPDX expression: {}",
            error.reason
        )
    })?;
    let is_allowed = |item: &LicenseItem| matches!(item, LicenseItem::Spdx { id, .. } if ALLOWED.contains(&id.name));
    if expression.evaluate(|requirement| is_allowed(&requirement.license)) {
        Ok(())
    } else {
        Err(format!(
            "its licence `{licence}` is not among the allowed ones"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::allow;

    #[track_caller]
    fn check(licence: &str, is_allowed: bool) {
        assert_eq!(allow(Some(licence)).is_ok(), is_allowed, "{licence}");
    }

    #[test]
    fn a_choice_needs_one_allowed_licence_and_a_sum_needs_all() {
        check("MIT", true);
        check("MIT/Apache-2.0", true);
        check("Apache-2.0 WITH LLVM-exception OR MIT", true);
        check("GPL-3.0-only OR MIT", true);
        check("(MIT OR Apache-2.0) AND Unicode-3.0", true);
        check("MIT AND GPL-3.0-only", false);
        check("AGPL-3.0-only", false);
        check("my own", false);
    }

    #[test]
    fn a_package_without_a_licence_is_not_allowed() {
        assert!(allow(None).is_err());
    }
}
