//! The files that pages refer to: compiled into the program, served under their hash, and checked by the browser.

use std::io::Write;
use std::sync::LazyLock;

use actix_web::HttpResponse;
use actix_web::http::header::{
    AcceptEncoding, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, Encoding, VARY,
};
use actix_web::web::{Bytes, Header, Path};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256, Sha384};

/// A file that pages refer to.
pub(crate) struct Asset {
    /// Its address, which changes with its contents.
    pub(crate) path: String,
    /// What the browser compares the contents with.
    pub(crate) integrity: String,
    name: &'static str,
    content_type: &'static str,
    contents: Bytes,
    /// The same for browsers that take it so, where that is shorter.
    compressed: Option<Bytes>,
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
    /// The font of headings.
    pub(crate) font: Asset,
}

/// By what the style names the font: its address takes this one's place.
const FONT: &str = "space-grotesk.woff2";

/// The files, hashed once.
pub(crate) static ASSETS: LazyLock<Assets> = LazyLock::new(|| {
    let font = Asset::new(
        FONT,
        "font/woff2",
        include_bytes!("../assets/space-grotesk.woff2").into(),
    );
    let style = include_str!("../assets/fanfare.css").replace(FONT, &font.path);
    Assets {
        htmx: Asset::new(
            "htmx.js",
            "text/javascript; charset=utf-8",
            include_bytes!("../assets/htmx.min.js").into(),
        ),
        script: Asset::new(
            "fanfare.js",
            "text/javascript; charset=utf-8",
            include_bytes!("../assets/fanfare.js").into(),
        ),
        style: Asset::new("fanfare.css", "text/css; charset=utf-8", style.into()),
        icon: Asset::new(
            "icon.svg",
            "image/svg+xml",
            include_bytes!("../assets/icon.svg").into(),
        ),
        font,
    }
});

impl Asset {
    fn new(name: &'static str, content_type: &'static str, contents: Vec<u8>) -> Self {
        let digest = Sha256::digest(&contents);
        let beginning = digest.iter().take(8);
        let hash = beginning.fold(0_u64, |hash, byte| (hash << 8) | u64::from(*byte));
        let hash = format!("{hash:016x}");
        Self {
            path: format!("/assets/{hash}/{name}"),
            integrity: format!("sha384-{}", STANDARD.encode(Sha384::digest(&contents))),
            name,
            content_type,
            compressed: compressed(&contents),
            contents: contents.into(),
            hash,
        }
    }
}

/// The bytes compressed, if that makes them shorter.
fn compressed(contents: &[u8]) -> Option<Bytes> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(contents).ok()?;
    let compressed = encoder.finish().ok()?;
    (compressed.len() < contents.len()).then(|| compressed.into())
}

impl Assets {
    pub(crate) fn all(&self) -> [&Asset; 5] {
        [
            &self.htmx,
            &self.script,
            &self.style,
            &self.icon,
            &self.font,
        ]
    }
}

/// Serves a file by hash and name. The hash in the address makes that every version is another file, which never changes.
pub(crate) async fn serve(
    path: Path<(String, String)>,
    accepted: Option<Header<AcceptEncoding>>,
) -> HttpResponse {
    let (hash, name) = path.into_inner();
    let mut all = ASSETS.all().into_iter();
    let Some(asset) = all.find(|asset| asset.hash == hash && asset.name == name) else {
        return HttpResponse::NotFound().finish();
    };
    let takes_gzip = accepted.is_some_and(|Header(accepted)| {
        let offered = [Encoding::gzip(), Encoding::identity()];
        accepted.negotiate(offered.iter()) == Some(Encoding::gzip())
    });
    let mut answer = HttpResponse::Ok();
    answer
        .insert_header((CONTENT_TYPE, asset.content_type))
        .insert_header((CACHE_CONTROL, "public, max-age=31536000, immutable"))
        .insert_header((VARY, "accept-encoding"));
    match &asset.compressed {
        Some(compressed) if takes_gzip => answer
            .insert_header((CONTENT_ENCODING, "gzip"))
            .insert_header((ETAG, format!("\"{hash}-gzip\"")))
            .body(compressed.clone()),
        _ => answer
            .insert_header((ETAG, format!("\"{hash}\"")))
            .body(asset.contents.clone()),
    }
}
