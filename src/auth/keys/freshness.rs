//! How long an answer of the issuer says it may be kept (RFC 9111). What to make of it is [`super::issuer`]'s work.

use std::time::Duration;

use http::HeaderMap;
use http::header::{AGE, CACHE_CONTROL};

/// What `Cache-Control` says, less the time the answer has already spent in caches on the way; `None` when it says
/// nothing.
pub(super) fn told(headers: &HeaderMap) -> Option<Duration> {
    let lines = headers.get_all(CACHE_CONTROL).iter().filter_map(|value| value.to_str().ok());
    let mut told = None;
    for directive in lines.flat_map(|line| line.split(',')) {
        let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
        match name.trim().to_ascii_lowercase().as_str() {
            // Kept all the same, as short as anything is: keys are needed for every request.
            "no-store" | "no-cache" => return Some(Duration::ZERO),
            "max-age" => told = Some(seconds(value.trim().trim_matches('"'))),
            _ => {}
        }
    }
    let age =
        headers.get(AGE).and_then(|value| value.to_str().ok()).map_or(Duration::ZERO, |text| seconds(text.trim()));
    told.map(|told| told.saturating_sub(age))
}

/// A number too long to hold is as good as for ever; anything but digits is none at all.
fn seconds(text: &str) -> Duration {
    match text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        true => Duration::ZERO,
        false => Duration::from_secs(text.parse().unwrap_or(u64::MAX)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_header_is_read_as_it_is_written_in_the_wild() {
        let of = |lines: &[&str], age: Option<&str>| {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(CACHE_CONTROL, line.parse().unwrap());
            }
            if let Some(age) = age {
                headers.insert(AGE, age.parse().unwrap());
            }
            told(&headers).map(|told| told.as_secs())
        };
        assert_eq!(of(&[], None), None);
        assert_eq!(of(&["public"], Some("5")), None);
        assert_eq!(of(&["public, max-age=3600, must-revalidate"], None), Some(3600));
        assert_eq!(of(&["Max-Age=\"60\""], None), Some(60));
        assert_eq!(of(&["public", "s-maxage=5, max-age = 7"], None), Some(7));
        assert_eq!(of(&["max-age=600"], Some("200")), Some(400));
        assert_eq!(of(&["max-age=600"], Some("900")), Some(0));
        assert_eq!(of(&["max-age=600, no-cache"], None), Some(0));
        assert_eq!(of(&["no-store"], None), Some(0));
        assert_eq!(of(&["max-age=-1"], None), Some(0));
        assert_eq!(of(&["max-age=soon"], None), Some(0));
        assert_eq!(of(&["max-age=99999999999999999999999"], None), Some(u64::MAX));
    }
}
