//! Makes inputs that nobody thought of out of those that somebody did.

use rand::Rng;
use rand::rngs::StdRng;

/// No input grows beyond this: what is longer is refused by its length, and teaches nothing.
const LONGEST: usize = 24 * 1024;

/// Bytes that mean something to what is fuzzed here, and values at the edges of what fits.
const WORDS: [&[u8]; 40] = [
    b"{",
    b"}",
    b"[",
    b"]",
    b"(",
    b")",
    b"\"",
    b"\"\"\"",
    b"\\",
    b"\\u0000",
    b"...",
    b"#",
    b"\n",
    b"\0",
    b",",
    b":",
    b"$",
    b"@",
    b"!",
    b"-",
    b".",
    b"e",
    b"0",
    b"null",
    b"true",
    b"query",
    b"fragment F on Query",
    b"...F",
    b"__typename",
    b"__schema",
    b"9223372036854775807",
    b"9223372036854775808",
    b"-9223372036854775808",
    b"0.00000000001",
    b"2026-02-30",
    b"9999-12-31",
    b"\xc3\xa9",
    b"\xf0\x9f\xa6\x80",
    b"\xff",
    b"sha256:",
];

/// An input made of one or two seeds by a few random steps.
pub fn mutant(seeds: &[Vec<u8>], random: &mut StdRng) -> Vec<u8> {
    let mut input = any(seeds, random).clone();
    for _ in 0..random.random_range(1..=6) {
        step(&mut input, seeds, random);
    }
    input.truncate(LONGEST);
    input
}

fn any<'a>(seeds: &'a [Vec<u8>], random: &mut StdRng) -> &'a Vec<u8> {
    &seeds[random.random_range(0..seeds.len())]
}

fn step(input: &mut Vec<u8>, seeds: &[Vec<u8>], random: &mut StdRng) {
    let at = random.random_range(0..=input.len());
    let end = random.random_range(at..=input.len());
    match random.random_range(0..8) {
        0 if at < input.len() => input[at] ^= 1 << random.random_range(0..8),
        1 => input.insert(at, random.random()),
        2 => drop(input.drain(at..end)),
        3 => {
            let piece = input[at..end].to_vec();
            let times = random.random_range(1..=40);
            let most = LONGEST / piece.len().max(1);
            input.splice(at..at, piece.repeat(times.min(most)));
        }
        4 => {
            let other = any(seeds, random);
            let from = random.random_range(0..=other.len());
            input.splice(at..end, other[from..].iter().copied());
        }
        5 if at < input.len() && input[at].is_ascii_digit() => input[at] = b'0' + random.random_range(0..10),
        _ => {
            let word = WORDS[random.random_range(0..WORDS.len())];
            let times = if random.random_ratio(1, 20) { random.random_range(1..=3_000) } else { 1 };
            input.splice(at..at, word.repeat(times));
        }
    }
}
