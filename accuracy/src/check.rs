//! Checksums, for the makers of tokens and for the templates of examples, which look for them here.

/// Six digits of base 62 (`0-9A-Za-z`), the most significant first: how GitHub and npm write a
/// CRC-32.
pub(crate) fn base62(mut number: u32) -> [u8; 6] {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut digits = [b'0'; 6];
    for digit in digits.iter_mut().rev() {
        *digit = DIGITS[(number % 62) as usize];
        number /= 62;
    }
    digits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_significant_digit_comes_first() {
        assert_eq!(&base62(61), b"00000z");
        assert_eq!(&base62(62 * 62 + 1), b"000101");
    }
}
