//! TypeIDs by hand: a prefix, an underscore, and 128 bits as 26 letters of Crockford's base 32.

use uuid::Uuid;

const LETTERS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

pub fn write(prefix: &str, id: Uuid) -> String {
    let mut text = String::with_capacity(prefix.len() + 27);
    text.push_str(prefix);
    text.push('_');
    let bits = id.as_u128();
    text.extend((0..26).rev().map(|place| char::from(LETTERS[((bits >> (5 * place)) & 31) as usize])));
    text
}

pub fn read(prefix: &str, text: &str) -> Option<Uuid> {
    let digits = text.strip_prefix(prefix)?.strip_prefix('_')?;
    if digits.len() != 26 {
        return None;
    }
    let mut bits: u128 = 0;
    for letter in digits.bytes() {
        let value = LETTERS.iter().position(|known| *known == letter)?;
        bits = bits.checked_mul(32)? | value as u128;
    }
    Some(Uuid::from_u128(bits))
}
