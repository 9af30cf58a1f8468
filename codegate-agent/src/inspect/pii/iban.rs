//! Bank account numbers: ISO 13616.

use std::ops::Range;

use super::{checksum::modulo, digits::stands_alone};

/// The longest number, in characters.
const LONGEST: usize = 34;

/// Countries (each two letters and a space) and the lengths of their numbers, from SWIFT's IBAN registry.
const LENGTHS: &[(usize, &str)] = &[
    (15, "NO"),
    (16, "BE BI"),
    (18, "DK FI FK FO GL NL SD"),
    (19, "MK SI"),
    (20, "AT BA EE KZ LT LU MN XK"),
    (21, "CH CR HR LI LV"),
    (22, "BG BH DE GB GE IE ME RS VA"),
    (23, "AE GI IL IQ OM SO TL"),
    (24, "AD CZ ES MD PK RO SA SE SK TN VG"),
    (25, "LY PT ST"),
    (26, "IS TR"),
    (
        27,
        "BF BJ CF CG CI CM DJ FR GA GQ GR IT KM MC MG ML MR NE SM SN TD TG",
    ),
    (28, "AL AZ BY CY DO GT HN HU LB NI PL SV"),
    (29, "BR EG PS QA UA"),
    (30, "JO KW MU YE"),
    (31, "MT SC"),
    (33, "LC RU"),
];

/// The account number whose first digits are this run.
pub(super) fn find(text: &[u8], run: &Range<usize>) -> Option<Range<usize>> {
    let start = run.start.checked_sub(2)?;
    let country = text.get(start..run.start)?;
    if !country.iter().all(u8::is_ascii_uppercase) {
        return None;
    }
    let length = length(country)?;
    let end = end(text, start, length)?;
    let range = start..end;
    (stands_alone(text, &range) && is_valid(text.get(range.clone())?)).then_some(range)
}

fn length(country: &[u8]) -> Option<usize> {
    let of = |(_, countries): &&(usize, &str)| {
        let mut countries = countries.as_bytes().chunks(3);
        countries.any(|known| known.starts_with(country))
    };
    LENGTHS.iter().find(of).map(|(length, _)| *length)
}

/// Where a number of `length` characters ends: in one, or in fours with the same sign between.
fn end(text: &[u8], start: usize, length: usize) -> Option<usize> {
    let sign = text
        .get(start + 4)
        .copied()
        .filter(|sign| b" -".contains(sign));
    let mut at = start;
    for count in 0..length {
        if let Some(sign) = sign.filter(|_| count > 0 && count % 4 == 0) {
            if text.get(at) != Some(&sign) {
                return None;
            }
            at += 1;
        }
        let byte = text.get(at)?;
        if !(byte.is_ascii_uppercase() || byte.is_ascii_digit()) {
            return None;
        }
        at += 1;
    }
    Some(at)
}

fn is_valid(number: &[u8]) -> bool {
    let bare = number.iter().copied().filter(u8::is_ascii_alphanumeric);
    let bare: Vec<u8> = bare.take(LONGEST).collect();
    let Some((head, account)) = bare.split_at_checked(4) else {
        return false;
    };
    let digits = account.iter().filter(|byte| byte.is_ascii_digit()).count();
    let turned = account.iter().chain(head).copied();
    digits * 3 >= account.len() && modulo(turned, 97) == Some(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inspect::runs;

    fn found(text: &str) -> Option<&str> {
        let text_ = text.as_bytes();
        runs::of_digits(text_)
            .into_iter()
            .find_map(|run| find(text_, &run))
            .map(|range| &text[range])
    }

    #[test]
    fn accounts_of_many_countries() {
        for account in [
            "GB82 WEST 1234 5698 7654 32",
            "DE89370400440532013000",
            "FR1420041010050500013M02606",
            "NO9386011117947",
            "NL91 ABNA 0417 1643 00",
            "CH93-0076-2011-6238-5295-7",
            "MT84MALT011000012345MTLCAST001S",
            "BE68539007547034",
            "ES9121000418450200051332",
            "PL61109010140000071219812874",
            "SE4550000000058398257466",
            "IT60X0542811101000000123456",
        ] {
            assert_eq!(found(&format!("pay to {account}, now")), Some(account));
            assert_eq!(found(&format!("x{account}")), None);
            assert_eq!(found(&format!("{account}7")), None);
        }
    }

    #[test]
    fn one_wrong_digit_or_sign_and_it_is_none() {
        for account in [
            "DE89370400440532013001",
            "GB82 WEST 1234-5698 7654 32",
            "XX82WEST12345698765432",
        ] {
            assert_eq!(found(account), None);
        }
    }
}
