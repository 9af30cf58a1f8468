//! Europe.

use super::{
    super::{
        checksum::{is_monotonous, luhn, mod_11_10, number, weighted},
        number::Number,
        policy::Family::NationalId,
    },
    is_date, part,
};

pub(super) const NUMBERS: &[Number] = &[
    Number {
        kind: "NHS",
        rule: "uk-nhs",
        family: NationalId,
        telling: &[],
        beside: &["999 999 9999", "999-999-9999", "9999999999"],
        words: &["nhs", "national health"],
        check: is_nhs,
    },
    Number {
        kind: "NINO",
        rule: "uk-nino",
        family: NationalId,
        telling: &["AA 99 99 99 A"],
        beside: &["AA999999A", "AA 999999 A", "AA-99-99-99-A"],
        words: &[
            "nino",
            "national insurance",
            "nat ins",
            "ni number",
            "ni no",
            "ni_number",
            "national_insurance",
            "insurance number",
        ],
        check: is_nino,
    },
    Number {
        kind: "STEUERID",
        rule: "de-steuer-id",
        family: NationalId,
        telling: &[],
        beside: &["99999999999", "99 999 999 999"],
        words: &[
            "steuer",
            "steuerid",
            "steuer-id",
            "steuer_id",
            "idnr",
            "steueridentifikationsnummer",
            "identifikationsnummer",
            "tin",
            "tax id",
            "tax_id",
        ],
        check: is_steuer_id,
    },
    Number {
        kind: "NIR",
        rule: "fr-nir",
        family: NationalId,
        telling: &["9 99 99 99 999 999 99", "9 99 99 9A 999 999 99"],
        beside: &["999999999999999", "999999A99999999", "9999999999999 99"],
        words: &[
            "nir",
            "insee",
            "sécurité sociale",
            "securite sociale",
            "sécu",
            "secu",
            "numéro de sécurité",
            "social security",
        ],
        check: is_nir,
    },
    Number {
        kind: "DNI",
        rule: "es-dni",
        family: NationalId,
        telling: &[],
        beside: &["99999999A", "99999999-A", "99.999.999-A"],
        words: &["dni", "nif", "documento nacional", "identidad"],
        check: |text| is_spanish(text, 0),
    },
    Number {
        kind: "NIE",
        rule: "es-nie",
        family: NationalId,
        telling: &[],
        beside: &["A9999999A", "A-9999999-A", "A9999999-A"],
        words: &["nie", "nif", "extranjero", "extranjería", "identidad"],
        check: is_nie,
    },
    Number {
        kind: "CF",
        rule: "it-codice-fiscale",
        family: NationalId,
        telling: &["AAAAAA99A99A999A"],
        beside: &[],
        words: &["codice fiscale", "codice_fiscale", "cod. fisc", "cf"],
        check: is_codice_fiscale,
    },
    Number {
        kind: "BSN",
        rule: "nl-bsn",
        family: NationalId,
        telling: &[],
        beside: &["999999999", "9999.99.999", "999.999.999", "9999 99 999"],
        words: &[
            "bsn",
            "burgerservice",
            "burgerservicenummer",
            "sofi",
            "sofinummer",
        ],
        check: is_bsn,
    },
    Number {
        kind: "PESEL",
        rule: "pl-pesel",
        family: NationalId,
        telling: &[],
        beside: &["99999999999"],
        words: &["pesel"],
        check: is_pesel,
    },
    Number {
        kind: "PERSONNUMMER",
        rule: "se-personnummer",
        family: NationalId,
        telling: &[],
        beside: &[
            "999999-9999",
            "99999999-9999",
            "9999999999",
            "999999999999",
            "999999+9999",
        ],
        words: &[
            "personnummer",
            "personnr",
            "samordningsnummer",
            "pnr",
            "person_number",
            "personal number",
        ],
        check: is_personnummer,
    },
    Number {
        kind: "HETU",
        rule: "fi-hetu",
        family: NationalId,
        telling: &["999999-999A", "999999A999A"],
        beside: &["999999-9999", "999999A9999", "999999+9999"],
        words: &["hetu", "henkilötunnus", "henkilotunnus", "personbeteckning"],
        check: is_hetu,
    },
    Number {
        kind: "RRNBE",
        rule: "be-national-register",
        family: NationalId,
        telling: &["99.99.99-999.99"],
        beside: &[
            "99999999999",
            "99.99.99.999.99",
            "999999-999.99",
            "99 99 99 999 99",
        ],
        words: &[
            "rijksregister",
            "rijksregisternummer",
            "registre national",
            "national register",
            "national number",
            "numéro national",
            "niss",
            "insz",
        ],
        check: is_belgian,
    },
    Number {
        kind: "AHV",
        rule: "ch-ahv",
        family: NationalId,
        telling: &["999.9999.9999.99"],
        beside: &["9999999999999"],
        words: &["ahv", "avs", "sozialversicherungsnummer"],
        check: is_ahv,
    },
    Number {
        kind: "FNR",
        rule: "no-fodselsnummer",
        family: NationalId,
        telling: &[],
        beside: &["99999999999", "999999 99999"],
        words: &["fødselsnummer", "fodselsnummer", "fnr", "personnummer"],
        check: is_norwegian,
    },
    Number {
        kind: "NIFPT",
        rule: "pt-nif",
        family: NationalId,
        telling: &[],
        beside: &["999999999", "999 999 999"],
        words: &["nif", "contribuinte", "nipc"],
        check: is_portuguese,
    },
];

fn is_nhs(digits: &[u8]) -> bool {
    let sum = digits
        .get(..9)
        .and_then(|body| weighted(body, &[10, 9, 8, 7, 6, 5, 4, 3, 2]));
    sum.is_some_and(|sum| u64::from((11 - sum % 11) % 11) == part(digits, 9, 1) && sum % 11 != 1)
        && !is_monotonous(digits)
}

/// HMRC's NIM39110: which letters it may begin and end with.
fn is_nino(text: &[u8]) -> bool {
    let [first, second, .., last] = text else {
        return false;
    };
    let never = [b"BG", b"GB", b"KN", b"NK", b"NT", b"TN", b"ZZ"];
    !b"DFIQUV".contains(first)
        && !b"DFIOQUV".contains(second)
        && !never.contains(&&[*first, *second])
        && (b'A'..=b'D').contains(last)
}

/// One digit stands twice or thrice among the first ten, and no other more than once.
fn is_steuer_id(digits: &[u8]) -> bool {
    let body = digits.get(..10).unwrap_or_default();
    let count = |digit: u8| body.iter().filter(|byte| **byte == digit).count();
    let mut counts: Vec<usize> = (b'0'..=b'9')
        .map(count)
        .filter(|count| *count > 1)
        .collect();
    let repeated = counts.pop();
    digits.first() != Some(&b'0')
        && counts.is_empty()
        && matches!(repeated, Some(2 | 3))
        && mod_11_10(digits)
}

/// Sex, year, month, place, order, and a key: 97 minus the rest. Corsica's 2A and 2B count as 19
/// and 18.
fn is_nir(text: &[u8]) -> bool {
    let mut digits = text.to_vec();
    let stands_for = match text.get(5..7) {
        Some(b"2A") => b"19",
        Some(b"2B") => b"18",
        _ => text
            .get(5..7)
            .and_then(|place| place.first_chunk())
            .unwrap_or(b"00"),
    };
    if let Some(place) = digits.get_mut(5..7) {
        place.copy_from_slice(stands_for);
    }
    let month = part(&digits, 3, 2);
    let born = matches!(month, 1..=12 | 20 | 30..=42 | 50..=99)
        && matches!(part(&digits, 0, 1), 1..=4 | 7 | 8);
    let body = digits.get(..13).and_then(number);
    born && body.is_some_and(|body| 97 - body % 97 == part(&digits, 13, 2))
}

fn is_spanish(text: &[u8], first: u64) -> bool {
    let Some((letter, body)) = text.split_last() else {
        return false;
    };
    let rest = number(body).map(|number| (first * 10_000_000 + number) % 23);
    let expected = rest.and_then(|rest| b"TRWAGMYFPDXBNJZSQVHLCKE".get(rest as usize));
    expected == Some(letter) && !is_monotonous(body)
}

fn is_nie(text: &[u8]) -> bool {
    match text.split_first() {
        Some((b'X', rest)) => is_spanish(rest, 0),
        Some((b'Y', rest)) => is_spanish(rest, 1),
        Some((b'Z', rest)) => is_spanish(rest, 2),
        _ => false,
    }
}

/// The odd places count by a table of their own, the even ones by what they are.
fn is_codice_fiscale(text: &[u8]) -> bool {
    const ODD: [u32; 26] = [
        1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24,
        23,
    ];
    let Some((check, body)) = text.split_last() else {
        return false;
    };
    let value = |byte: u8| match byte {
        b'0'..=b'9' => usize::from(byte - b'0'),
        byte => usize::from(byte.wrapping_sub(b'A')),
    };
    let sum: u32 = body
        .iter()
        .enumerate()
        .map(|(at, byte)| match at % 2 {
            0 => ODD.get(value(*byte)).copied().unwrap_or(0),
            _ => value(*byte) as u32,
        })
        .sum();
    let month = text
        .get(8)
        .is_some_and(|byte| b"ABCDEHLMPRST".contains(byte));
    let day = matches!(part(text, 9, 2), 1..=31 | 41..=71);
    month && day && u32::from(check.wrapping_sub(b'A')) == sum % 26
}

fn is_bsn(digits: &[u8]) -> bool {
    let sum = digits
        .get(..8)
        .and_then(|body| weighted(body, &[9, 8, 7, 6, 5, 4, 3, 2]));
    sum.is_some_and(|sum| u64::from(sum % 11) == part(digits, 8, 1)) && !is_monotonous(digits)
}

/// The century is added to the month in twenties.
fn is_pesel(digits: &[u8]) -> bool {
    let sum = weighted(digits, &[1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1]);
    is_date(part(digits, 4, 2), part(digits, 2, 2) % 20) && sum.is_some_and(|sum| sum % 10 == 0)
}

/// With the century or without; a coordination number adds sixty to the day.
fn is_personnummer(digits: &[u8]) -> bool {
    let Some(short) = digits
        .len()
        .checked_sub(10)
        .and_then(|from| digits.get(from..))
    else {
        return false;
    };
    let century = digits.len() == 10 || matches!(part(digits, 0, 2), 18..=20);
    let day = part(short, 4, 2);
    century && is_date(day.checked_sub(60).unwrap_or(day), part(short, 2, 2)) && luhn(short)
}

/// Birth date, a sign of the century, order, and a character for the rest of 31.
fn is_hetu(text: &[u8]) -> bool {
    let digits: Vec<u8> = text.iter().copied().take(6).collect();
    let sign = text.get(6).copied().unwrap_or_default();
    let order = if sign.is_ascii_digit() { 6 } else { 7 };
    let known = sign.is_ascii_digit() || b"ABCDEFUVWXY".contains(&sign);
    let rest = (part(&digits, 0, 6) * 1000 + part(text, order, 3)) % 31;
    let expected = b"0123456789ABCDEFHJKLMNPRSTUVWXY".get(rest as usize);
    known
        && is_date(part(&digits, 0, 2), part(&digits, 2, 2))
        && text.len() == order + 4
        && text.last() == expected
}

/// 97 minus the rest; since 2000 with a 2 in front.
fn is_belgian(digits: &[u8]) -> bool {
    let body = part(digits, 0, 9);
    let check = part(digits, 9, 2);
    let born = part(digits, 2, 2) <= 12 && part(digits, 4, 2) <= 31;
    born && body != 0
        && [body, body + 2_000_000_000]
            .iter()
            .any(|body| 97 - body % 97 == check)
}

/// An EAN-13 of Switzerland.
fn is_ahv(digits: &[u8]) -> bool {
    let sum = weighted(digits, &[1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1, 3, 1]);
    part(digits, 0, 3) == 756 && sum.is_some_and(|sum| sum % 10 == 0)
}

fn is_norwegian(digits: &[u8]) -> bool {
    let first = digits
        .get(..10)
        .and_then(|body| weighted(body, &[3, 7, 6, 1, 8, 9, 4, 5, 2, 1]));
    let second = weighted(digits, &[5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1]);
    let day = part(digits, 0, 2);
    is_date(day.checked_sub(40).unwrap_or(day), part(digits, 2, 2) % 40)
        && [first, second]
            .iter()
            .all(|sum| sum.is_some_and(|sum| sum % 11 == 0))
}

fn is_portuguese(digits: &[u8]) -> bool {
    let sum = digits
        .get(..8)
        .and_then(|body| weighted(body, &[9, 8, 7, 6, 5, 4, 3, 2]));
    let check = sum.map(|sum| match sum % 11 {
        0 | 1 => 0,
        rest => u64::from(11 - rest),
    });
    digits.first() != Some(&b'0') && check == Some(part(digits, 8, 1)) && !is_monotonous(digits)
}
