//! GraphiQL, served from the binary: no CDN, no other origin, works offline. The assets are stored compressed in
//! `graphiql/dist`; `manifest.json` there lists them as `[{"path","file","content_type"}]`: `path` is what the browser
//! asks for, [`PAGE`] for the page itself and names below `/graphql/assets/` for the rest.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::LazyLock;

use axum::Extension;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::Response;
use bytes::Bytes;
use serde::Deserialize;

use super::errors::HttpError;
use super::negotiation::MediaType;
use crate::graphql::request::RequestId;

/// (file name, Brotli bytes) of every `*.br` in `graphiql/dist`; `build.rs` writes the list.
static FILES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/graphiql_files.rs"));
static MANIFEST: &str = include_str!("../../graphiql/dist/manifest.json");
static ASSETS: LazyLock<BTreeMap<String, Asset>> = LazyLock::new(|| assets(MANIFEST, FILES).unwrap_or_default());

/// Where the page is.
const PAGE: &str = "/graphql";

/// Everything comes from here, and nothing is written inline.
const PAGE_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
     base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);

struct Asset {
    content_type: HeaderValue,
    brotli: &'static [u8],
}

#[derive(Deserialize)]
struct Entry {
    path: String,
    file: String,
    content_type: String,
}

/// The assets by path, or what is wrong with the manifest.
fn assets(manifest: &str, files: &[(&str, &'static [u8])]) -> Result<BTreeMap<String, Asset>, String> {
    let entries: Vec<Entry> = serde_json::from_str(manifest).map_err(|error| error.to_string())?;
    let listed = entries.into_iter().map(|entry| {
        let brotli = files.iter().find(|(name, _)| *name == entry.file).map(|(_, bytes)| *bytes);
        let brotli = brotli.ok_or_else(|| format!("{} is not in graphiql/dist", entry.file))?;
        let content_type = HeaderValue::from_str(&entry.content_type).map_err(|error| error.to_string())?;
        Ok((entry.path, Asset { content_type, brotli }))
    });
    listed.collect()
}

/// `GET /graphql` in a browser: the page.
pub fn page(headers: &HeaderMap) -> Response {
    serve(PAGE, headers).unwrap_or_else(|| {
        let mut response = Response::new(Body::from("GraphiQL is not part of this build."));
        *response.status_mut() = StatusCode::NOT_FOUND;
        response
    })
}

/// `GET /graphql/assets/{file}`: what the page loads.
pub async fn asset(uri: Uri, Extension(request_id): Extension<RequestId>, headers: HeaderMap) -> Response {
    serve(uri.path(), &headers).unwrap_or_else(|| {
        HttpError::new(StatusCode::NOT_FOUND, "NOT_FOUND", "GraphiQL has no such file; reload the page.")
            .respond(&request_id, MediaType::Json)
    })
}

fn serve(path: &str, request: &HeaderMap) -> Option<Response> {
    let asset = ASSETS.get(path)?;
    let mut response = Response::new(Body::empty());
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, asset.content_type.clone());
    headers.insert(header::CONTENT_SECURITY_POLICY, PAGE_POLICY);
    headers.insert(header::VARY, HeaderValue::from_static("accept, accept-encoding"));
    // An asset's name holds a digest of its contents; the page's does not.
    let lifetime = if path == PAGE { "no-cache" } else { "public, max-age=31536000, immutable" };
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static(lifetime));
    let body = if accepts_brotli(request) {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("br"));
        Bytes::from_static(asset.brotli)
    } else {
        Bytes::from(decompress(asset.brotli)?)
    };
    *response.body_mut() = Body::from(body);
    Some(response)
}

fn decompress(brotli: &[u8]) -> Option<Vec<u8>> {
    let mut plain = Vec::new();
    brotli::Decompressor::new(brotli, 64 * 1024).read_to_end(&mut plain).ok()?;
    Some(plain)
}

fn accepts_brotli(headers: &HeaderMap) -> bool {
    let values = headers.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        parts.next().is_some_and(|name| name.eq_ignore_ascii_case("br")) && !parts.any(is_zero_weight)
    })
}

fn is_zero_weight(parameter: &str) -> bool {
    parameter.strip_prefix("q=").is_some_and(|weight| weight.trim_matches(['0', '.']).is_empty())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_manifest_names_a_page_and_files_that_exist_and_decompress() {
        let assets = assets(MANIFEST, FILES).unwrap();
        assert!(assets.contains_key(PAGE));
        for (path, asset) in &assets {
            assert!(!decompress(asset.brotli).unwrap().is_empty(), "{path}");
        }
        assert_eq!(FILES.len(), assets.len(), "a file that no entry names is dead weight");
    }

    #[test]
    fn a_manifest_that_names_a_missing_file_is_refused() {
        let manifest = r#"[{"path":"a.js","file":"a.js.br","content_type":"text/javascript"}]"#;
        assert!(assets(manifest, &[]).is_err());
    }

    #[test]
    fn brotli_is_sent_only_to_who_accepts_it() {
        let accepts =
            |value| accepts_brotli(&HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static(value))]));
        assert!(accepts("gzip, br"));
        assert!(accepts("br;q=0.1"));
        assert!(!accepts("br;q=0"));
        assert!(!accepts("br;q=0.0, gzip"));
        assert!(!accepts("gzip, brx"));
        assert!(!accepts_brotli(&HeaderMap::new()));
    }
}
