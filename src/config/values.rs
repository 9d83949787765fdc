//! How the text of a setting becomes a value. Each parser's error is a clause that says what would be accepted.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

/// One day: no timeout of a server is meant to be longer, and a typing slip of three zeros is caught.
const LONGEST_MS: u64 = 86_400_000;

/// A number of things, at least one.
pub(super) fn count(text: &str) -> Result<usize, String> {
    let problem = || format!("a whole number from 1 to {} is needed", u32::MAX);
    let number: u32 = text.parse().map_err(|_| problem())?;
    if number == 0 {
        return Err(problem());
    }
    usize::try_from(number).map_err(|_| problem())
}

/// A number of things that may be none.
pub(super) fn count_or_none(text: &str) -> Result<usize, String> {
    let problem = || format!("a whole number from 0 to {} is needed", u32::MAX);
    let number: u32 = text.parse().map_err(|_| problem())?;
    usize::try_from(number).map_err(|_| problem())
}

/// A number of things per second or at once, at least one, as the 32 bits that rate limiters and pools take.
pub(super) fn count_u32(text: &str) -> Result<u32, String> {
    text.parse()
        .ok()
        .filter(|number| *number > 0)
        .ok_or_else(|| format!("a whole number from 1 to {} is needed", u32::MAX))
}

/// A time span in milliseconds, at least one.
pub(super) fn milliseconds(text: &str) -> Result<Duration, String> {
    span(text, 1)
}

/// A time span in milliseconds that may be nothing.
pub(super) fn milliseconds_or_none(text: &str) -> Result<Duration, String> {
    span(text, 0)
}

/// A time span of something that is done again and again: often enough is possible, all the time is not.
pub(super) fn milliseconds_from_100(text: &str) -> Result<Duration, String> {
    span(text, 100)
}

fn span(text: &str, least: u64) -> Result<Duration, String> {
    text.parse()
        .ok()
        .filter(|number| (least..=LONGEST_MS).contains(number))
        .map(Duration::from_millis)
        .ok_or_else(|| format!("a whole number of milliseconds from {least} to {LONGEST_MS} is needed"))
}

/// A port of TCP; 0 lets the system choose one.
pub(super) fn port(text: &str) -> Result<u16, String> {
    text.parse().map_err(|_| "a port from 0 to 65535 is needed (0: any free one)".to_owned())
}

/// On or off, in the spellings people use.
pub(super) fn switch(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "on" | "true" | "yes" | "1" => Ok(true),
        "off" | "false" | "no" | "0" => Ok(false),
        _ => Err("on or off is needed".to_owned()),
    }
}

/// An address of this machine to listen on.
pub(super) fn host(text: &str) -> Result<IpAddr, String> {
    // `localhost` can mean two addresses; naming one keeps what is printed and what is bound the same.
    if text.eq_ignore_ascii_case("localhost") {
        return Ok(IpAddr::V4(Ipv4Addr::LOCALHOST));
    }
    text.parse().map_err(|_| "an IP address is needed (127.0.0.1, 0.0.0.0, ::1) or localhost".to_owned())
}
