//! Payment cards: ISO/IEC 7812 numbers of the issuers that are in use.

use super::{
    checksum::{is_monotonous, luhn, number},
    number::Number,
    policy::Family,
};

pub(super) const CARD: Number = Number {
    kind: "CARD",
    rule: "payment-card",
    family: Family::Card,
    telling: &[
        "9999999999999999",
        "9999 9999 9999 9999",
        "9999-9999-9999-9999",
        "999999999999999",
        "9999 999999 99999",
        "9999-999999-99999",
        "9999 999999 9999",
        "9999-999999-9999",
    ],
    beside: &[
        "9999999999999",
        "99999999999999",
        "999999999999999999",
        "9999999999999999999",
        "9999 9999 9999 9999 999",
        "9999-9999-9999-9999-999",
        "9999.9999.9999.9999",
    ],
    words: &[
        "card",
        "cc",
        "pan",
        "credit",
        "debit",
        "visa",
        "mastercard",
        "amex",
        "discover",
        "maestro",
        "diners",
        "jcb",
        "unionpay",
        "karte",
        "carte",
        "tarjeta",
        "carta",
    ],
    check: is_card,
};

fn is_card(digits: &[u8]) -> bool {
    let prefix = |len: usize| digits.get(..len).and_then(number).unwrap_or(0);
    is_issued(prefix(2), prefix(4), prefix(6), digits.len()) && luhn(digits) && !is_filler(digits)
}

/// Which numbers the networks issue, by their first two, four and six digits and their length.
fn is_issued(two: u64, four: u64, six: u64, len: usize) -> bool {
    let visa = two / 10 == 4 && matches!(len, 13 | 16 | 19);
    let mastercard = ((51..=55).contains(&two) || (2221..=2720).contains(&four)) && len == 16;
    let amex = matches!(two, 34 | 37) && len == 15;
    let diners = (matches!(two, 36 | 38 | 39) || (300..=305).contains(&(four / 10)))
        && (14..=16).contains(&len);
    let discover = (four == 6011
        || two == 65
        || (644..=649).contains(&(four / 10))
        || (622_126..=622_925).contains(&six))
        && matches!(len, 16 | 19);
    let jcb = (3528..=3589).contains(&four) && (16..=19).contains(&len);
    let unionpay = matches!(two, 62 | 81) && (16..=19).contains(&len);
    let maestro = matches!(
        four,
        5018 | 5020 | 5038 | 5893 | 6304 | 6759 | 6761 | 6762 | 6763
    ) && (13..=19).contains(&len);
    let mir = (2200..=2204).contains(&four) && (16..=19).contains(&len);
    let rupay = (matches!(two, 60 | 82) || four == 5085) && len == 16;
    visa || mastercard || amex || diners || discover || jcb || unionpay || maestro || mir || rupay
}

/// `4000000000000002` is one that payment services give to testers; `4444444444444448` is none.
fn is_filler(digits: &[u8]) -> bool {
    digits
        .split_last()
        .is_none_or(|(_, body)| is_monotonous(body))
}
