//! The files that pages refer to: compiled into the program, served under their hash, and checked by the browser.

use std::sync::LazyLock;

use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG};
use actix_web::web::Path;
use actix_web::{HttpResponse, web};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256, Sha384};

/// A file that pages refer to.
pub(crate) struct Asset {
    /// Its address, which changes with its contents.
    pub(crate) path: String,
    /// What the browser compares the contents with.
    pub(crate) integrity: String,
    name: &'static str,
    content_type: &'static str,
    contents: &'static [u8],
    hash: String,
}

/// All files of the dashboard.
pub(crate) struct Assets {
    /// htmx, which swaps parts of pages.
    pub(crate) htmx: Asset,
    /// What htmx does not do: dialogs, live progress, times and numbers as the reader's place writes them.
    pub(crate) script: Asset,
    /// The look.
    pub(crate) style: Asset,
    /// The icon of the browser's tab.
    pub(crate) icon: Asset,
}

/// The files, hashed once.
pub(crate) static ASSETS: LazyLock<Assets> = LazyLock::new(|| Assets {
    htmx: Asset::new(
        "htmx.js",
        "text/javascript; charset=utf-8",
        include_bytes!("../assets/htmx.min.js"),
    ),
    script: Asset::new(
        "fanfare.js",
        "text/javascript; charset=utf-8",
        include_bytes!("../assets/fanfare.js"),
    ),
    style: Asset::new(
        "fanfare.css",
        "text/css; charset=utf-8",
        include_bytes!("../assets/fanfare.css"),
    ),
    icon: Asset::new(
        "icon.svg",
        "image/svg+xml",
        include_bytes!("../assets/icon.svg"),
    ),
});

impl Asset {
    fn new(name: &'static str, content_type: &'static str, contents: &'static [u8]) -> Self {
        let digest = Sha256::digest(contents);
        let beginning = digest.iter().take(8);
        let hash = beginning.fold(0_u64, |hash, byte| (hash << 8) | u64::from(*byte));
        let hash = format!("{hash:016x}");
        Self {
            path: format!("/assets/{hash}/{name}"),
            integrity: format!("sha384-{}", STANDARD.encode(Sha384::digest(contents))),
            name,
            content_type,
            contents,
            hash,
        }
    }
}

impl Assets {
    fn all(&self) -> [&Asset; 4] {
        [&self.htmx, &self.script, &self.style, &self.icon]
    }
}

/// Serves a file by hash and name. The hash in the address makes that every version is another file, which never changes.
pub(crate) async fn serve(path: Path<(String, String)>) -> HttpResponse {
    let (hash, name) = path.into_inner();
    let mut all = ASSETS.all().into_iter();
    let Some(asset) = all.find(|asset| asset.hash == hash && asset.name == name) else {
        return HttpResponse::NotFound().finish();
    };
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, asset.content_type))
        .insert_header((CACHE_CONTROL, "public, max-age=31536000, immutable"))
        .insert_header((ETAG, format!("\"{hash}\"")))
        .body(web::Bytes::from_static(asset.contents))
}
