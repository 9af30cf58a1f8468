//! Check digits that several numbers share.
//!
//! Knows: arithmetic. All take ASCII; a byte that is no digit makes any of them false.

/// The value of an ASCII digit.
fn digit(byte: u8) -> Option<u32> {
    char::from(byte).to_digit(10)
}

/// ISO/IEC 7812-1 annex B ("Luhn").
pub(super) fn luhn(number: &[u8]) -> bool {
    let doubled = |value: u32| if value > 4 { value * 2 - 9 } else { value * 2 };
    let mut sum = 0;
    for (at, byte) in number.iter().rev().enumerate() {
        match digit(*byte) {
            Some(value) if at % 2 == 1 => sum += doubled(value),
            Some(value) => sum += value,
            None => return false,
        }
    }
    sum % 10 == 0
}

/// The digits, each times its weight, summed up; `None` if there are not as many.
pub(super) fn weighted(number: &[u8], weights: &[u32]) -> Option<u32> {
    if number.len() != weights.len() {
        return None;
    }
    let products = number.iter().zip(weights);
    products
        .map(|(byte, weight)| Some(digit(*byte)? * weight))
        .sum()
}

/// The number modulo `modulus`, digits and letters (`A` = 10 … `Z` = 35, ISO/IEC 7064) in a row.
pub(super) fn modulo(number: impl IntoIterator<Item = u8>, modulus: u32) -> Option<u32> {
    number.into_iter().try_fold(0_u32, |rest, byte| {
        let value = char::from(byte).to_digit(36)?;
        let shift = if value < 10 { 10 } else { 100 };
        Some((rest * shift + value) % modulus)
    })
}

/// A number of at most nineteen digits.
pub(super) fn number(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0_u64, |number, byte| {
        number
            .checked_mul(10)?
            .checked_add(u64::from(digit(*byte)?))
    })
}

/// ISO/IEC 7064 MOD 11,10: the last digit checks the others.
pub(super) fn mod_11_10(number: &[u8]) -> bool {
    let Some((check, body)) = number.split_last() else {
        return false;
    };
    let product = body.iter().try_fold(10, |product, byte| {
        let sum = (digit(*byte)? + product) % 10;
        Some((if sum == 0 { 10 } else { sum }) * 2 % 11)
    });
    product.is_some_and(|product| digit(*check) == Some((11 - product) % 10))
}

/// Verhoeff's scheme: the dihedral group of order ten.
pub(super) fn verhoeff(number: &[u8]) -> bool {
    const ORDER: [u32; 10] = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];
    let turned = |value: u32, times: usize| {
        (0..times).fold(value, |value, _| {
            ORDER.get(value as usize).copied().unwrap_or(0)
        })
    };
    let sum = number
        .iter()
        .rev()
        .enumerate()
        .try_fold(0, |sum, (at, byte)| {
            Some(dihedral(sum, turned(digit(*byte)?, at % 8)))
        });
    sum == Some(0)
}

/// The product of two elements: 0 to 4 turn the pentagon, 5 to 9 turn it over first.
fn dihedral(a: u32, b: u32) -> u32 {
    match (a < 5, b < 5) {
        (true, true) => (a + b) % 5,
        (true, false) => 5 + (a + b) % 5,
        (false, true) => 5 + (a + 5 - b) % 5,
        (false, false) => (a + 5 - b) % 5,
    }
}

/// Whether all bytes are the same, which most checksums let pass.
pub(super) fn is_monotonous(number: &[u8]) -> bool {
    number.windows(2).all(|pair| pair.first() == pair.last())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Exactly one last digit of ten fits, and no digit can be changed.
    fn detects_each_changed_digit(check: fn(&[u8]) -> bool, valid: &str) {
        assert!(check(valid.as_bytes()), "{valid}");
        for at in 0..valid.len() {
            for other in b'0'..=b'9' {
                let mut changed = valid.as_bytes().to_vec();
                changed[at] = other;
                assert_eq!(check(&changed), changed == valid.as_bytes(), "{valid} {at}");
            }
        }
    }

    #[test]
    fn one_changed_digit_is_noticed() {
        detects_each_changed_digit(luhn, "79927398713");
        detects_each_changed_digit(mod_11_10, "86095742719");
        detects_each_changed_digit(verhoeff, "2363");
        detects_each_changed_digit(verhoeff, "84736430954837284567892");
        assert!(!luhn(b"7992739871x"));
        assert!(!verhoeff(b"23x3"));
    }

    #[test]
    fn letters_count_as_two_digits() {
        assert_eq!(modulo(*b"3214282912345698765432161182", 97), Some(1));
        assert_eq!(modulo(*b"WEST12345698765432GB82", 97), Some(1));
        assert_eq!(modulo(*b"12-", 97), None);
    }
}
