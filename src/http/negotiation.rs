//! Which media type a request is in and which one the answer will be in, after the GraphQL-over-HTTP specification. It
//! reads headers only.

use axum::http::{HeaderMap, HeaderValue, header};

/// A media type this server answers in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MediaType {
    /// `application/json`: whoever sent a well-formed HTTP request gets 200, errors or not, because older clients give up
    /// on anything else.
    Json,
    /// `application/graphql-response+json`: the status tells whether the request was carried out.
    GraphqlResponse,
}

impl MediaType {
    /// The `Content-Type` of an answer.
    pub fn header_value(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Json => "application/json; charset=utf-8",
            Self::GraphqlResponse => "application/graphql-response+json; charset=utf-8",
        })
    }

    fn essence(self) -> (&'static str, &'static str) {
        match self {
            Self::Json => ("application", "json"),
            Self::GraphqlResponse => ("application", "graphql-response+json"),
        }
    }
}

/// How well one range of `Accept` fits one media type. Ordered: quality first, then how exactly it was named, then what
/// the client named first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Fit {
    quality: u16,
    exactness: u8,
    earliness: std::cmp::Reverse<usize>,
}

/// The media type to answer in, or `None` when the client accepts nothing this server speaks (406).
/// Without an `Accept` header, and for `*/*`, it is `application/json`.
pub fn negotiate(headers: &HeaderMap) -> Option<MediaType> {
    let ranges = accept_ranges(headers);
    if ranges.is_empty() {
        return Some(MediaType::Json);
    }
    // On a tie `max_by_key` keeps the last one: plain JSON is what everyone reads.
    [MediaType::GraphqlResponse, MediaType::Json]
        .into_iter()
        .filter_map(|media| best_fit(media, &ranges).map(|fit| (media, fit)))
        .max_by_key(|(_, fit)| *fit)
        .map(|(media, _)| media)
}

/// Whether the client, a browser's address bar, names `text/html` and wants it no less than JSON.
pub fn wants_html(headers: &HeaderMap) -> bool {
    let ranges = accept_ranges(headers);
    let named = |kind: &str, subtype: &str| {
        let same = |range: &&Range| range.kind == kind && range.subtype == subtype;
        ranges.iter().filter(same).map(|range| range.quality).max().unwrap_or(0)
    };
    let html = named("text", "html");
    html > 0 && html >= named("application", "json") && html >= named("application", "graphql-response+json")
}

/// Whether a request body is declared as `application/json` in UTF-8, the only kind this server reads. A web page cannot
/// send that type across origins without asking first, which is what keeps forged requests out.
pub fn is_json_body(headers: &HeaderMap) -> bool {
    let mut values = headers.get_all(header::CONTENT_TYPE).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return false };
    let Some((kind, subtype, charset)) = value.to_str().ok().and_then(media_type) else { return false };
    (kind.as_str(), subtype.as_str()) == ("application", "json") && is_utf8(charset.as_deref())
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Range {
    kind: String,
    subtype: String,
    quality: u16,
    position: usize,
}

/// The ranges of every `Accept` header. What cannot be read is left out: a client that sends nonsense beside a type it
/// wants still gets that type.
fn accept_ranges(headers: &HeaderMap) -> Vec<Range> {
    let values = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let listed = values.flat_map(|value| value.split(',')).map(str::trim).filter(|range| !range.is_empty());
    let mut ranges: Vec<Range> = Vec::new();
    let mut unreadable = false;
    for (position, range) in listed.enumerate() {
        match read_range(range, position) {
            Some(range) => ranges.push(range),
            None => unreadable = true,
        }
    }
    if ranges.is_empty() && unreadable {
        // A header was sent and asks for nothing we know: that is not the same as no header.
        ranges.push(Range { kind: String::new(), subtype: String::new(), quality: 0, position: 0 });
    }
    ranges
}

fn read_range(range: &str, position: usize) -> Option<Range> {
    let (kind, subtype, charset) = media_type(range)?;
    if !is_utf8(charset.as_deref()) {
        return None;
    }
    let weight = parameters(range).find(|(name, _)| name == "q").map(|(_, value)| value);
    let quality = match weight {
        Some(weight) => thousandths(&weight)?,
        None => 1000,
    };
    Some(Range { kind, subtype, quality, position })
}

/// The most exact range that covers `media` decides its quality, as RFC 9110 says; quality 0 excludes it.
fn best_fit(media: MediaType, ranges: &[Range]) -> Option<Fit> {
    let (kind, subtype) = media.essence();
    let covering = ranges.iter().filter_map(|range| {
        let exactness = match (range.kind.as_str(), range.subtype.as_str()) {
            (k, s) if k == kind && s == subtype => 2,
            (k, "*") if k == kind => 1,
            ("*", "*") => 0,
            _ => return None,
        };
        // Two media types that only a wildcard covers must tie, so that the default decides.
        let position = if exactness == 2 { range.position } else { usize::MAX };
        Some(Fit { quality: range.quality, exactness, earliness: std::cmp::Reverse(position) })
    });
    covering.max_by_key(|fit| (fit.exactness, fit.quality)).filter(|fit| fit.quality > 0)
}

/// `type/subtype; charset=…` as (type, subtype, charset), in lower case.
fn media_type(value: &str) -> Option<(String, String, Option<String>)> {
    let essence = value.split(';').next()?.trim();
    let (kind, subtype) = essence.split_once('/')?;
    if kind.is_empty() || subtype.is_empty() {
        return None;
    }
    let charset = parameters(value).find(|(name, _)| name == "charset").map(|(_, value)| value);
    Some((kind.to_ascii_lowercase(), subtype.to_ascii_lowercase(), charset))
}

fn parameters(value: &str) -> impl Iterator<Item = (String, String)> + '_ {
    value.split(';').skip(1).filter_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        let value = value.trim().trim_matches('"');
        Some((name.trim().to_ascii_lowercase(), value.to_ascii_lowercase()))
    })
}

fn is_utf8(charset: Option<&str>) -> bool {
    matches!(charset, None | Some("utf-8" | "utf8"))
}

/// A weight from 0 to 1 with at most three decimals, in thousandths.
fn thousandths(weight: &str) -> Option<u16> {
    let (whole, decimals) = weight.split_once('.').unwrap_or((weight, ""));
    if decimals.len() > 3 || !decimals.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let decimals: u16 = format!("{decimals:0<3}").parse().ok()?;
    match (whole, decimals) {
        ("0", decimals) => Some(decimals),
        ("1", 0) => Some(1000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accept(value: &'static str) -> Option<MediaType> {
        negotiate(&HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(value))]))
    }

    #[test]
    fn the_media_type_of_the_answer() {
        use MediaType::{GraphqlResponse, Json};
        let table = [
            ("*/*", Some(Json)),
            ("application/*", Some(Json)),
            ("", Some(Json)),
            ("application/json", Some(Json)),
            ("APPLICATION/JSON; charset=UTF-8", Some(Json)),
            ("application/graphql-response+json", Some(GraphqlResponse)),
            ("application/graphql-response+json, application/json;q=0.9", Some(GraphqlResponse)),
            ("application/json;q=0.9, application/graphql-response+json", Some(GraphqlResponse)),
            ("application/json, application/graphql-response+json", Some(Json)),
            ("application/graphql-response+json, application/graphql+json, application/json", Some(GraphqlResponse)),
            ("application/graphql-response+json, */*", Some(GraphqlResponse)),
            ("application/graphql-response+json;q=0.5, */*", Some(Json)),
            ("application/json;q=0, */*", Some(GraphqlResponse)),
            ("application/json;q=0.123, application/graphql-response+json;q=0.124", Some(GraphqlResponse)),
            ("text/html", None),
            ("application/json;q=0", None),
            ("*/*;q=0", None),
            ("application/json;charset=latin1", None),
            ("nonsense", None),
            ("application/json;q=7", None),
        ];
        for (header, expected) in table {
            assert_eq!(accept(header), expected, "Accept: {header}");
        }
        assert_eq!(negotiate(&HeaderMap::new()), Some(Json));
    }

    #[test]
    fn several_accept_headers_are_one_list() {
        let mut headers = HeaderMap::new();
        headers.append(header::ACCEPT, HeaderValue::from_static("text/plain"));
        headers.append(header::ACCEPT, HeaderValue::from_static("application/graphql-response+json"));
        assert_eq!(negotiate(&headers), Some(MediaType::GraphqlResponse));
    }

    #[test]
    fn only_json_in_utf_8_is_read() {
        let table = [
            ("application/json", true),
            ("Application/JSON;charset=\"UTF-8\"", true),
            ("application/json; charset=utf-8", true),
            ("application/json; charset=utf-16", false),
            ("application/graphql", false),
            ("application/jsonp", false),
            ("text/plain", false),
            ("application/x-www-form-urlencoded", false),
            ("multipart/form-data; boundary=x", false),
            ("", false),
        ];
        for (value, expected) in table {
            let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static(value))]);
            assert_eq!(is_json_body(&headers), expected, "Content-Type: {value}");
        }
        assert!(!is_json_body(&HeaderMap::new()));
        let mut twice = HeaderMap::new();
        twice.append(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        twice.append(header::CONTENT_TYPE, HeaderValue::from_static("text/plain"));
        assert!(!is_json_body(&twice));
    }

    #[test]
    fn a_browser_wants_html_and_a_program_does_not() {
        let html = |value| wants_html(&HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(value))]));
        assert!(html("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"));
        assert!(!html("*/*"));
        assert!(!html("application/json, text/html;q=0.5"));
        assert!(!html("text/html;q=0"));
        assert!(!wants_html(&HeaderMap::new()));
    }
}
