//! Properties over any text.

use proptest::prelude::*;

use super::SCANNER;

proptest! {
    #[test]
    fn any_bytes_give_findings_that_are_in_range_in_order_and_apart(
        text in prop::collection::vec(any::<u8>(), 0..4096),
    ) {
        let mut end = 0;
        for finding in SCANNER.scan(&text) {
            prop_assert!(finding.range.start >= end && !finding.range.is_empty());
            end = finding.range.end;
        }
        prop_assert!(end <= text.len());
    }
}
