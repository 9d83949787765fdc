//! A place in PostgreSQL's write-ahead log, as PostgreSQL writes it (`0/16B3748`). Positions of one cluster are compared;
//! what stands at one is nobody's business here.

use std::fmt;
use std::str::FromStr;

/// A place in the log: everything before it is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position(u64);

/// The text is no position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a position in the log")]
pub struct NoPosition;

impl Position {
    pub(super) fn number(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Position {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:X}/{:X}", self.0 >> 32, self.0 & 0xFFFF_FFFF)
    }
}

impl FromStr for Position {
    type Err = NoPosition;

    fn from_str(text: &str) -> Result<Self, NoPosition> {
        let (high, low) = text.split_once('/').ok_or(NoPosition)?;
        Ok(Self((u64::from(half(high)?) << 32) | u64::from(half(low)?)))
    }
}

/// One to eight hexadecimal digits; the library would take a sign, too.
fn half(text: &str) -> Result<u32, NoPosition> {
    let digits = (1..=8).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !digits {
        return Err(NoPosition);
    }
    u32::from_str_radix(text, 16).map_err(|_| NoPosition)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_read_and_written_as_postgres_does_and_compared_as_numbers() {
        for text in ["0/0", "0/16B3748", "1/0", "16/B374D848", "FFFFFFFF/FFFFFFFF"] {
            assert_eq!(text.parse::<Position>().unwrap().to_string(), text);
        }
        let of = |text: &str| text.parse::<Position>().unwrap();
        assert!(of("0/FFFFFFFF") < of("1/0") && of("9/1") < of("10/0") && of("0/ab") == of("0/AB"));
    }

    #[test]
    fn nothing_else_is_a_position() {
        for text in
            ["", "/", "0", "0/", "/0", "0/G", "0/0/0", "-1/0", "+1/0", "0/ 1", "123456789/0", "0/123456789", "٠/٠"]
        {
            assert_eq!(text.parse::<Position>(), Err(NoPosition), "{text:?}");
        }
    }
}
