//! Asia, Africa and Oceania.

use super::{
    super::{
        checksum::{is_monotonous, luhn, verhoeff, weighted},
        number::Number,
        policy::Family::NationalId,
    },
    is_date, part,
};

pub(super) const NUMBERS: &[Number] = &[
    Number {
        kind: "AADHAAR",
        rule: "in-aadhaar",
        family: NationalId,
        telling: &[],
        beside: &["9999 9999 9999", "9999-9999-9999", "999999999999"],
        words: &["aadhaar", "aadhar", "adhaar", "uidai"],
        check: |digits| !matches!(digits.first(), Some(b'0' | b'1')) && verhoeff(digits),
    },
    Number {
        kind: "TFN",
        rule: "au-tfn",
        family: NationalId,
        telling: &[],
        beside: &["999 999 999", "999-999-999", "999999999"],
        words: &["tfn", "tax file", "tax_file"],
        check: |digits| {
            let sum = weighted(digits, &[1, 4, 3, 7, 5, 8, 6, 9, 10]);
            sum.is_some_and(|sum| sum % 11 == 0) && !is_monotonous(digits)
        },
    },
    Number {
        kind: "MEDICARE",
        rule: "au-medicare",
        family: NationalId,
        telling: &[],
        beside: &["9999 99999 9", "9999-99999-9", "9999999999"],
        words: &["medicare"],
        check: is_medicare,
    },
    Number {
        kind: "CNID",
        rule: "cn-resident-id",
        family: NationalId,
        telling: &["99999999999999999X"],
        beside: &["999999999999999999"],
        words: &[
            "resident id",
            "identity card",
            "id card",
            "id_card",
            "idcard",
            "id number",
            "id_number",
            "身份证",
        ],
        check: is_chinese,
    },
    Number {
        kind: "RRN",
        rule: "kr-rrn",
        family: NationalId,
        telling: &[],
        beside: &["999999-9999999", "9999999999999"],
        words: &["rrn", "resident registration", "주민등록번호"],
        check: is_korean,
    },
    Number {
        kind: "NRIC",
        rule: "sg-nric",
        family: NationalId,
        telling: &[],
        beside: &["A9999999A"],
        words: &["nric", "fin", "singapore"],
        check: is_nric,
    },
    Number {
        kind: "ZAID",
        rule: "za-id",
        family: NationalId,
        telling: &[],
        beside: &["9999999999999", "999999 9999 999"],
        words: &[
            "id number",
            "id_number",
            "identity number",
            "south african id",
            "rsa id",
            "sa id",
            "said",
        ],
        check: |digits| is_date(part(digits, 4, 2), part(digits, 2, 2)) && luhn(digits),
    },
    Number {
        kind: "TCKN",
        rule: "tr-kimlik",
        family: NationalId,
        telling: &[],
        beside: &["99999999999"],
        words: &["tckn", "tc kimlik", "kimlik no", "kimlik"],
        check: is_turkish,
    },
];

fn is_medicare(digits: &[u8]) -> bool {
    let sum = digits
        .get(..8)
        .and_then(|body| weighted(body, &[1, 3, 7, 9, 1, 3, 7, 9]));
    matches!(digits.first(), Some(b'2'..=b'6'))
        && sum.is_some_and(|sum| u64::from(sum % 10) == part(digits, 8, 1))
}

/// GB 11643: place, birth date, order, and a check of ISO 7064 MOD 11-2.
fn is_chinese(text: &[u8]) -> bool {
    let Some((check, body)) = text.split_last() else {
        return false;
    };
    let weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
    let expected =
        weighted(body, &weights).and_then(|sum| b"10X98765432".get(sum as usize % 11).copied());
    let born = is_date(part(text, 12, 2), part(text, 10, 2)) && matches!(part(text, 6, 2), 18..=20);
    born && matches!(part(text, 0, 2), 11..=82) && expected == Some(*check)
}

fn is_korean(digits: &[u8]) -> bool {
    let sum = digits
        .get(..12)
        .and_then(|body| weighted(body, &[2, 3, 4, 5, 6, 7, 8, 9, 2, 3, 4, 5]));
    let expected = sum.map(|sum| u64::from((11 - sum % 11) % 10));
    is_date(part(digits, 4, 2), part(digits, 2, 2)) && expected == Some(part(digits, 12, 1))
}

/// S and T are citizens', F and G foreigners' numbers.
fn is_nric(text: &[u8]) -> bool {
    let (Some(first), Some(last), Some(body)) = (text.first(), text.last(), text.get(1..8)) else {
        return false;
    };
    let Some(sum) = weighted(body, &[2, 7, 6, 5, 4, 3, 2]) else {
        return false;
    };
    let (letters, more) = match first {
        b'S' => (b"JZIHGFEDCBA", 0),
        b'T' => (b"JZIHGFEDCBA", 4),
        b'F' => (b"XWUTRQPNMLK", 0),
        b'G' => (b"XWUTRQPNMLK", 4),
        _ => return false,
    };
    letters.get(((sum + more) % 11) as usize) == Some(last)
}

fn is_turkish(digits: &[u8]) -> bool {
    let at = |index: usize| part(digits, index, 1);
    let odd: u64 = (0..9).step_by(2).map(at).sum();
    let even: u64 = (1..8).step_by(2).map(at).sum();
    let all: u64 = (0..10).map(at).sum();
    at(0) != 0 && (odd * 7 + 90 - even) % 10 == at(9) && all % 10 == at(10)
}
