//! Chromium and its driver, which browser tests need.

use super::packages::Packages;

const PACKAGES: Packages = Packages {
    apt: &["chromium", "chromium-driver", "fonts-dejavu-core"],
    dnf: &["chromium", "chromedriver"],
    apk: &["chromium", "chromium-chromedriver"],
    brew: &["chromedriver"],
};

/// What the browser is called, by systems.
const BROWSERS: [&str; 4] = [
    "chromium",
    "chromium-browser",
    "google-chrome-stable",
    "google-chrome",
];

/// Installs them if they are missing and can be had; tests that need them say otherwise that they are skipped.
pub(super) fn install() {
    let is_installed = BROWSERS.iter().any(|name| is_here(name)) && is_here("chromedriver");
    // Where no package can be had, as on a machine without a network, everything else is still tested.
    if !is_installed && let Err(error) = PACKAGES.install() {
        println!("Chromium is not installed: {error:#}");
    }
}

fn is_here(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders = std::env::split_paths(&path);
    folders.any(|folder| folder.join(program).is_file())
}
