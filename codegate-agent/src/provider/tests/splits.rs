//! Streams in pieces of any size: the same bytes come out, and any value comes back.

use proptest::prelude::*;

use super::{samples::*, vault::*};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_value_in_any_split_comes_back(
        value in "[\\PC\"\\\\\n\r\t\u{2028}😀]{1,20}", before in "[\\PC\nCG_]{0,10}", after in "[\\PC\"CG_7Q]{0,10}",
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let (mut vault, names) = Vault::of(&[&value]);
        // A text that looks like JSON gets JSON's escapes: another test's matter.
        let text = format!("- {before}{}{after}", names[0]);
        let expected = format!("- {before}{value}{after}");
        for way in ways() {
            check(way, &deltas(&text, &cuts), &expected, &mut vault);
        }
    }

    #[test]
    fn any_pieces_give_the_same_bytes(
        value in "[\\PC\"\\\\\n]{1,20}", crlf in any::<bool>(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
        packets in prop::collection::vec(any::<prop::sample::Index>(), 0..30),
    ) {
        let (mut vault, names) = Vault::of(&[&value]);
        for way in ways() {
            let mut stream = (way.write)(&deltas(&format!("é{} {}😀", names[0], names[0]), &cuts));
            if crlf {
                stream = stream.replace("\n\n", "\r\n\r\n");
            }
            let (one, model, usage) = pass(way.dialect, [stream.as_bytes()], &mut vault);
            let (many, ..) = pass(way.dialect, pieces(stream.as_bytes(), &packets), &mut vault);
            prop_assert_eq!(&one, &many);
            let bytes: Vec<&[u8]> = stream.as_bytes().chunks(1).collect();
            let (each, each_model, each_usage) = pass(way.dialect, bytes, &mut vault);
            prop_assert_eq!(&one, &each);
            prop_assert_eq!((model, usage), (each_model, each_usage));
        }
    }

    #[test]
    fn what_needs_no_edit_is_passed_on_byte_for_byte(
        text in "[\\PCCG_\n\"\\\\]{0,60}", cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
        packets in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
    ) {
        let mut vault = Vault::default();
        for way in ways() {
            let stream = (way.write)(&deltas(&text, &cuts));
            let (out, ..) = pass(way.dialect, pieces(stream.as_bytes(), &packets), &mut vault);
            prop_assert_eq!(String::from_utf8(out).unwrap(), stream);
        }
    }

    #[test]
    fn arbitrary_bytes_pass(
        stream in prop::collection::vec(prop_oneof![any::<u8>().prop_map(|b| vec![b]), prop::sample::select(vec![
            b"data: ".to_vec(), b"\n\n".to_vec(), b"{\"choices\":[{\"delta\":{\"content\":\"CG_".to_vec(), b"\"}}]}\n\n".to_vec(),
            b"\r\n".to_vec(), b"event: x\n".to_vec(), b"{\"type\":\"content_block_delta\",\"delta\":{\"text\":\"C".to_vec(), b"\"}}".to_vec(),
            b"{\"type\":\"x.done\"}".to_vec(), b"CG_GITHUB_".to_vec(),
        ])], 0..40).prop_map(|parts| parts.concat()),
        packets in prop::collection::vec(any::<prop::sample::Index>(), 0..10),
    ) {
        let mut vault = Vault::default();
        for dialect in [chat(), anthropic(), responses(), opaque()] {
            let (out, ..) = pass(dialect, pieces(&stream, &packets), &mut vault);
            prop_assert_eq!(&out, &stream);
        }
    }
}
