//! One pass over the raw text before the parser sees it: size, tokens, nesting, names. The parser recurses without a
//! limit of its own, so text that nests too deep must never reach it. It only counts and never builds anything.

use async_graphql::Pos;

use super::{limits::Limits, refusal::Refusal};

/// What the scan counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scan {
    /// Lexical tokens; whitespace, commas and comments are none.
    pub tokens: usize,
}

/// Reads `query` once and refuses what the parser should not be given.
///
/// # Errors
/// `QUERY_TOO_LARGE`, `TOO_MANY_TOKENS`, `NESTED_TOO_DEEP`, `NAME_TOO_LONG`; a syntax refusal for a text without
/// tokens and for an unterminated string, since the parser would read what follows differently from this scan.
pub fn scan(query: &str, limits: &Limits) -> Result<Scan, Refusal> {
    check_size(query, limits)?;
    let mut scanner = Scanner { bytes: query.as_bytes(), at: 0 };
    let (mut tokens, mut depth) = (0_usize, 0_usize);
    while let Some(token) = scanner.next() {
        let start = token.start;
        tokens = tokens.saturating_add(1);
        if tokens > limits.tokens {
            let message = format!("The query has more than {} tokens: split it into several requests.", limits.tokens);
            return Err(Refusal::guard("TOO_MANY_TOKENS", message));
        }
        match token.kind {
            Kind::Open => {
                depth = depth.saturating_add(1);
                if depth > limits.nesting {
                    let message = format!(
                        "The query nests more than {} brackets: flatten it, or pass values as variables.",
                        limits.nesting
                    );
                    return Err(Refusal::guard("NESTED_TOO_DEEP", message).at(position(query, start)));
                }
            }
            Kind::Close => depth = depth.saturating_sub(1),
            Kind::Name if scanner.at.saturating_sub(start) > limits.name_length => {
                let message = format!("A name is longer than {} bytes: shorten it.", limits.name_length);
                return Err(Refusal::guard("NAME_TOO_LONG", message).at(position(query, start)));
            }
            Kind::Unterminated => {
                let at = position(query, start);
                let message = format!("Syntax error at {at}: a string is not closed. Close it with its quotes.");
                return Err(Refusal::syntax(message).at(at));
            }
            Kind::Name | Kind::Other => {}
        }
    }
    if tokens == 0 {
        return Err(Refusal::syntax("The query is empty: send a GraphQL document."));
    }
    Ok(Scan { tokens })
}

/// Refuses text that is too long; cheap enough to run before anything else touches the text.
///
/// # Errors
/// `QUERY_TOO_LARGE`.
pub fn check_size(query: &str, limits: &Limits) -> Result<(), Refusal> {
    if query.len() <= limits.query_bytes {
        return Ok(());
    }
    let message = format!("The query is longer than {} bytes: shorten it, or split it.", limits.query_bytes);
    let refusal = Refusal::guard("QUERY_TOO_LARGE", message);
    Err(Refusal { status: ::http::StatusCode::PAYLOAD_TOO_LARGE, ..refusal })
}

#[derive(Clone, Copy)]
enum Kind {
    Open,
    Close,
    Name,
    Unterminated,
    Other,
}

struct Token {
    kind: Kind,
    start: usize,
}

struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Scanner<'_> {
    fn peek(&self, ahead: usize) -> Option<u8> {
        self.bytes.get(self.at.saturating_add(ahead)).copied()
    }

    fn advance(&mut self, by: usize) {
        self.at = self.at.saturating_add(by).min(self.bytes.len());
    }

    fn starts_with(&self, text: &[u8]) -> bool {
        self.bytes.get(self.at..).is_some_and(|rest| rest.starts_with(text))
    }

    fn skip_while(&mut self, mut keep: impl FnMut(u8) -> bool) {
        while self.peek(0).is_some_and(&mut keep) {
            self.advance(1);
        }
    }

    fn skip_ignored(&mut self) {
        loop {
            match self.peek(0) {
                Some(b' ' | b'\t' | b'\r' | b'\n' | b',') => self.advance(1),
                Some(b'#') => self.skip_while(|byte| byte != b'\n' && byte != b'\r'),
                Some(0xEF) if self.starts_with("\u{feff}".as_bytes()) => self.advance(3),
                _ => return,
            }
        }
    }

    fn next(&mut self) -> Option<Token> {
        self.skip_ignored();
        let start = self.at;
        let kind = match self.peek(0)? {
            b'(' | b'[' | b'{' => self.one(Kind::Open),
            b')' | b']' | b'}' => self.one(Kind::Close),
            b'"' => self.string(),
            b'.' if self.starts_with(b"...") => {
                self.advance(3);
                Kind::Other
            }
            byte if byte == b'_' || byte.is_ascii_alphabetic() => {
                self.skip_while(|byte| byte == b'_' || byte.is_ascii_alphanumeric());
                Kind::Name
            }
            byte if byte == b'-' || byte.is_ascii_digit() => {
                self.advance(1);
                self.skip_while(|byte| byte.is_ascii_digit());
                Kind::Other
            }
            // Punctuation, and whatever the parser will refuse: each byte counts, which can only overestimate.
            _ => self.one(Kind::Other),
        };
        Some(Token { kind, start })
    }

    fn one(&mut self, kind: Kind) -> Kind {
        self.advance(1);
        kind
    }

    fn string(&mut self) -> Kind {
        if self.starts_with(b"\"\"\"") {
            self.advance(3);
            return self.block_string();
        }
        self.advance(1);
        loop {
            match self.peek(0) {
                None | Some(b'\n' | b'\r') => return Kind::Unterminated,
                Some(b'"') => return self.one(Kind::Other),
                // An escape never hides a line end: the parser would stop there too.
                Some(b'\\') if !matches!(self.peek(1), None | Some(b'\n' | b'\r')) => self.advance(2),
                Some(_) => self.advance(1),
            }
        }
    }

    fn block_string(&mut self) -> Kind {
        loop {
            if self.at >= self.bytes.len() {
                return Kind::Unterminated;
            } else if self.starts_with(b"\\\"\"\"") {
                self.advance(4);
            } else if self.starts_with(b"\"\"\"") {
                self.advance(3);
                return Kind::Other;
            } else {
                self.advance(1);
            }
        }
    }
}

/// Line and column, from one, of a byte offset; only computed for a refusal.
fn position(query: &str, offset: usize) -> Pos {
    let before = query.get(..offset).unwrap_or(query);
    let line_start = before.rfind('\n').map_or(0, |at| at.saturating_add(1));
    let line = before.bytes().filter(|byte| *byte == b'\n').count();
    let column = before.get(line_start..).map_or(0, |text| text.chars().count());
    Pos { line: line.saturating_add(1), column: column.saturating_add(1) }
}
