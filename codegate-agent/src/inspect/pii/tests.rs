//! Each kind as people write it, and what must not be taken for it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests panic")]

use proptest::prelude::*;

use super::{checksum::luhn, *};

fn found(text: &str) -> Vec<(String, String)> {
    let all = Pii::new(Policy::default()).scan(text.as_bytes(), &[]);
    let value = |personal: &Personal| text[personal.finding.range.clone()].to_owned();
    all.iter()
        .map(|one| (one.finding.kind.to_string(), value(one)))
        .collect()
}

#[track_caller]
fn finds(text: &str, kind: &str, value: &str) {
    assert_eq!(found(text), [(kind.to_owned(), value.to_owned())], "{text}");
}

#[track_caller]
fn finds_nothing(text: &str) {
    assert_eq!(found(text), [], "{text}");
}

/// What payment services give to testers: every network, in every way of writing.
#[test]
fn cards_of_all_networks() {
    for card in [
        "4242424242424242",
        "4111 1111 1111 1111",
        "5555-5555-5555-4444",
        "2223003122003222",
        "378282246310005",
        "3782 822463 10005",
        "6011111111111117",
        "3566002020360505",
        "6200000000000005",
        "3056 930902 5904",
    ] {
        finds(&format!("pay with {card}."), "CARD", card);
        finds(
            &format!("{{\"number\": \"{card}\", \"exp\": \"12/27\"}}"),
            "CARD",
            card,
        );
        finds(&format!("card={card}&cvc=123"), "CARD", card);
        finds_nothing(&format!("x{card}"));
        finds_nothing(&format!("{card}-0001"));
    }
    let two = [("CARD", "4242424242424242"), ("CARD", "4000056655665556")];
    let two = two.map(|(kind, value)| (kind.to_owned(), value.to_owned()));
    assert_eq!(found("[4242424242424242, 4000056655665556]"), two);
    finds("visa 4222222222222", "CARD", "4222222222222");
    finds_nothing("id 4222222222222");
}

#[test]
fn numbers_that_are_no_cards() {
    for text in [
        "4242424242424243",
        "1234567890123456",
        "0.4242424242424242",
        "4242424242424242.5",
        "4444444444444448",
        "1700000000000000",
        "4242 4242 4242-4242",
        "f4242424242424242",
        "4242424242424242_u64",
        "[4242424242424242, 4000056655665557]",
        "4242,4242,4242,4242",
        "{301289933810280, 1259582250014073}",
        "x 4242424242424242,\n   1259582250014073",
        "$4242424242424242",
        "4242 4242 4242 4242 4242 4242",
    ] {
        finds_nothing(text);
    }
}

/// Specimens from the issuers' pages, and numbers made for these tests.
#[test]
fn numbers_that_states_give() {
    for (text, kind, value) in [
        ("his SSN is 536-90-4399.", "SSN", "536-90-4399"),
        ("536-90-4399", "SSN", "536-90-4399"),
        ("{\"ssn\": \"536904399\"}", "SSN", "536904399"),
        ("ITIN 912-71-1234", "ITIN", "912-71-1234"),
        ("NHS number 943 476 5919", "NHS", "943 476 5919"),
        ("nhs_number: 9434765919", "NHS", "9434765919"),
        ("NI number: AB123456C", "NINO", "AB123456C"),
        ("AB 12 34 56 C", "NINO", "AB 12 34 56 C"),
        ("Steuer-ID 86095742719", "STEUERID", "86095742719"),
        (
            "Steuerliche Identifikationsnummer: 86 095 742 719",
            "STEUERID",
            "86 095 742 719",
        ),
        ("NIR 1 84 12 76 451 089 46", "NIR", "1 84 12 76 451 089 46"),
        ("sécurité sociale 184127645108946", "NIR", "184127645108946"),
        ("DNI 12345678Z", "DNI", "12345678Z"),
        ("NIE: X1234567L", "NIE", "X1234567L"),
        ("RSSMRA85T10A562S", "CF", "RSSMRA85T10A562S"),
        ("BSN 111222333", "BSN", "111222333"),
        ("PESEL: 44051401359", "PESEL", "44051401359"),
        ("personnummer 811218-9876", "PERSONNUMMER", "811218-9876"),
        (
            "Personnummer: 19811218-9876",
            "PERSONNUMMER",
            "19811218-9876",
        ),
        ("131052-308T", "HETU", "131052-308T"),
        ("85.07.30-033.28", "RRNBE", "85.07.30-033.28"),
        ("756.9217.0769.85", "AHV", "756.9217.0769.85"),
        ("CPF 529.982.247-25", "CPF", "529.982.247-25"),
        ("cpf=52998224725", "CPF", "52998224725"),
        ("11.222.333/0001-81", "CNPJ", "11.222.333/0001-81"),
        ("Aadhaar 2341 2341 2346", "AADHAAR", "2341 2341 2346"),
        ("SIN: 046 454 286", "", ""),
        ("SIN: 130 692 544", "SIN", "130 692 544"),
        ("TFN 123 456 782", "TFN", "123 456 782"),
        ("Medicare 2123 45670 1", "MEDICARE", "2123 45670 1"),
        ("11010519491231002X", "CNID", "11010519491231002X"),
        ("NRIC S1234567D", "NRIC", "S1234567D"),
        ("RUT 30.686.957-4", "RUT", "30.686.957-4"),
        ("TC Kimlik No 10000000146", "TCKN", "10000000146"),
        ("ID number 8001015009087", "ZAID", "8001015009087"),
        ("NIF 123456789", "NIFPT", "123456789"),
    ] {
        if kind.is_empty() {
            finds_nothing(text);
        } else {
            finds(text, kind, value);
        }
    }
}

/// One wrong digit, or no word where one is needed.
#[test]
fn numbers_that_no_state_gives() {
    for text in [
        "ssn 000-12-3456",
        "ssn 666-12-3456",
        "ssn 123-00-4567",
        "SSN 987-65-4321",
        "078-05-1120",
        "943 476 5919",
        "NHS number 943 476 5918",
        "BG123456A",
        "Steuer-ID 86095742718",
        "12345678Z",
        "DNI 12345678A",
        "111222333",
        "44051401359",
        "811218-9876",
        "131052-308U",
        "529.982.247-26",
        "11.222.333/0001-82",
        "2341 2341 2346",
        "Aadhaar 2341 2341 2347",
        "123 456 782",
        "S1234567D",
        "RSSMRA85T10A562T",
    ] {
        finds_nothing(text);
    }
}

/// What code, tools and their output are full of.
#[test]
fn technical_numbers() {
    for text in [
        "f47ac10b-58cc-4372-a567-0e02b2c3d479",
        "12345678-1234-1234-1234-123456789012",
        "192.168.100.200",
        "10.0.0.1:8080",
        "2024-01-02T03:04:05.678901234Z",
        "1700000000",
        "1700000000123",
        "1700000000123456789",
        "v1.2.3-456",
        "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed",
        "sha256:9f86d081884c7d659a2feaa0c55ad015",
        "da39a3ee5e6b4b0d3255bfef95601890afd80709",
        "line 123-456-7890",
        "978-3-16-148410-0",
        "1e10 3.141592653589793",
        "CG_CARD_7Q4M2K9XW8T3RBNDZ5HJ6PFA",
        "0.1.2.3.4.5.6.7",
        "#123456",
        "pid 4242 4242",
        "+0100",
        "-0700",
        "100-20-3000x",
        "a-123-45-6789",
        "checksum = \"00d698a15ea6e7a7f1d1d7e9d3d1b1b5\"",
    ] {
        finds_nothing(text);
    }
}

#[test]
fn what_is_off_is_not_looked_for_and_what_is_taken_stays() {
    let text = "4242424242424242 jane@acme.com DE89370400440532013000 +14155552671";
    assert_eq!(found(text).len(), 4);
    let sealed = Pii::new(Policy::default().only(Action::Redact)).scan(text.as_bytes(), &[]);
    assert_eq!(sealed.len(), 2);
    assert_eq!(
        Pii::new(Policy::default().only(Action::Off)).scan(text.as_bytes(), &[]),
        []
    );
    let pii = Pii::new(Policy::default());
    let all = pii.scan(text.as_bytes(), &[]);
    let actions: Vec<_> = all.iter().map(|one| one.action).collect();
    assert_eq!(
        actions,
        [
            Action::Redact,
            Action::Report,
            Action::Redact,
            Action::Report
        ]
    );
    let first = [all[0].finding.clone()];
    assert_eq!(pii.scan(text.as_bytes(), &first), all[1..]);
}

#[test]
fn every_kind_fits_a_placeholder() {
    for number in [&cards::CARD].into_iter().chain(national::numbers()) {
        assert!(Kind::parse(number.kind).is_some(), "{}", number.kind);
        for text in number.telling.iter().chain(number.beside) {
            assert!(text.contains('9'), "{text}");
        }
    }
}

proptest! {
    #[test]
    fn any_bytes_are_taken_and_findings_are_apart(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let all = Pii::new(Policy::default()).scan(&bytes, &[]);
        prop_assert!(all.windows(2).all(|pair| pair[0].finding.range.end <= pair[1].finding.range.start));
    }

    #[test]
    fn any_number_like_text_is_taken(text in "[0-9A-Z+@.() /-]{0,120}") {
        let all = Pii::new(Policy::default()).scan(text.as_bytes(), &[]);
        for one in all {
            prop_assert!(one.finding.range.end <= text.len() && !one.finding.range.is_empty());
        }
    }

    /// A card is found by its shape and checksum alone, whatever its digits.
    #[test]
    fn any_visa_number_is_found_if_its_checksum_fits(body in 400_000_000_000_000_u64..500_000_000_000_000) {
        let number = (0..10).map(|check| format!("{body}{check}")).find(|n| luhn(n.as_bytes())).unwrap();
        let shown = found(&format!("card: {number}\n"));
        prop_assert_eq!(shown, vec![("CARD".to_owned(), number)]);
    }
}
