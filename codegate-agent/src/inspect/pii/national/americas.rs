//! The Americas.

use super::{
    super::{
        checksum::{is_monotonous, luhn, weighted},
        number::Number,
        policy::Family::NationalId,
    },
    is_date, part,
};

pub(super) const NUMBERS: &[Number] = &[
    Number {
        kind: "SSN",
        rule: "us-ssn",
        family: NationalId,
        telling: &["999-99-9999"],
        beside: &["999 99 9999", "999999999", "999.99.9999"],
        words: &[
            "ssn",
            "ssns",
            "social security",
            "social-security",
            "socialsecurity",
            "social_security",
            "soc sec",
        ],
        check: is_ssn,
    },
    Number {
        kind: "ITIN",
        rule: "us-itin",
        family: NationalId,
        telling: &["999-99-9999"],
        beside: &["999 99 9999", "999999999"],
        words: &["itin", "taxpayer", "tax id", "tax_id", "tin"],
        check: is_itin,
    },
    Number {
        kind: "SIN",
        rule: "ca-sin",
        family: NationalId,
        telling: &[],
        beside: &["999 999 999", "999-999-999", "999999999"],
        words: &["sin", "social insurance", "assurance sociale", "nas"],
        check: |digits| {
            !matches!(digits.first(), Some(b'0' | b'8')) && luhn(digits) && !is_monotonous(digits)
        },
    },
    Number {
        kind: "CPF",
        rule: "br-cpf",
        family: NationalId,
        telling: &["999.999.999-99"],
        beside: &["99999999999", "999999999-99"],
        words: &["cpf", "cadastro de pessoas", "contribuinte"],
        check: is_cpf,
    },
    Number {
        kind: "CNPJ",
        rule: "br-cnpj",
        family: NationalId,
        telling: &["99.999.999/9999-99"],
        beside: &["99999999999999"],
        words: &["cnpj", "pessoa jurídica", "pessoa juridica"],
        check: is_cnpj,
    },
    Number {
        kind: "RUT",
        rule: "cl-rut",
        family: NationalId,
        telling: &[],
        beside: &[
            "99.999.999-9",
            "9.999.999-9",
            "99999999-9",
            "99.999.999-K",
            "99999999-K",
        ],
        words: &["rut", "run", "rol único", "rol unico"],
        check: is_rut,
    },
    Number {
        kind: "CURP",
        rule: "mx-curp",
        family: NationalId,
        telling: &["AAAA999999AAAAAA99", "AAAA999999AAAAAAA9"],
        beside: &[],
        words: &["curp"],
        check: is_curp,
    },
];

/// Areas, groups and serials that the SSA gives out; two numbers were printed too often.
fn is_ssn(digits: &[u8]) -> bool {
    let area = part(digits, 0, 3);
    let given = area != 0 && area != 666 && area < 900;
    let printed = matches!(digits, b"078051120" | b"219099999" | b"457555462");
    given
        && part(digits, 3, 2) != 0
        && part(digits, 5, 4) != 0
        && !printed
        && !is_monotonous(digits)
}

/// The IRS's groups; 987-65-4320 to 4329 are for advertisements.
fn is_itin(digits: &[u8]) -> bool {
    let group = part(digits, 3, 2);
    let given = matches!(group, 50..=65 | 70..=88 | 90..=92 | 94..=99);
    part(digits, 0, 1) == 9 && given && !digits.starts_with(b"98765432")
}

/// The check digit of a modulus of 11 where 10 counts as 0.
fn brazilian(digits: &[u8], weights: &[u32]) -> bool {
    let Some((check, body)) = digits.split_last() else {
        return false;
    };
    weighted(body, weights)
        .is_some_and(|sum| sum * 10 % 11 % 10 == u32::from(check.wrapping_sub(b'0')))
}

fn is_cpf(digits: &[u8]) -> bool {
    let first = digits.get(..10).unwrap_or_default();
    !is_monotonous(digits)
        && brazilian(first, &[10, 9, 8, 7, 6, 5, 4, 3, 2])
        && brazilian(digits, &[11, 10, 9, 8, 7, 6, 5, 4, 3, 2])
}

fn is_cnpj(digits: &[u8]) -> bool {
    let first = digits.get(..13).unwrap_or_default();
    !is_monotonous(digits)
        && brazilian(first, &[5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2])
        && brazilian(digits, &[6, 5, 4, 3, 2, 9, 8, 7, 6, 5, 4, 3, 2])
}

fn is_rut(digits: &[u8]) -> bool {
    let Some((check, body)) = digits.split_last() else {
        return false;
    };
    let weights = (2..=7_u32).cycle();
    let sum: u32 = body
        .iter()
        .rev()
        .zip(weights)
        .map(|(byte, weight)| u32::from(byte & 0xF) * weight)
        .sum();
    let expected = match 11 - sum % 11 {
        11 => b'0',
        10 => b'K',
        value => b'0' + value as u8,
    };
    *check == expected && !is_monotonous(body)
}

/// Name, birth date, sex, state, consonants, and a check digit over all.
fn is_curp(text: &[u8]) -> bool {
    let value = |byte: &u8| match byte {
        b'0'..=b'9' => Some(u32::from(byte - b'0')),
        b'A'..=b'N' => Some(u32::from(byte - b'A') + 10),
        // Ñ stands between N and O.
        b'O'..=b'Z' => Some(u32::from(byte - b'O') + 25),
        _ => None,
    };
    let Some((check, body)) = text.split_last() else {
        return false;
    };
    let products = body
        .iter()
        .zip((2..=18).rev())
        .map(|(byte, weight)| Some(value(byte)? * weight));
    let sum: Option<u32> = products.sum();
    let sexed = matches!(text.get(10), Some(b'H' | b'M' | b'X'));
    let expected = sum.map(|sum| (10 - sum % 10) % 10);
    sexed
        && is_date(part(text, 8, 2), part(text, 6, 2))
        && expected == Some(u32::from(check.wrapping_sub(b'0')))
}
