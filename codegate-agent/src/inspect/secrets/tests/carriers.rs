//! Secrets in everything that carries text.

use super::{example, found};

#[test]
fn the_same_secret_twice_is_found_twice() {
    let example = example::expand("a «hf_‹alpha 34›» b", 1);
    let twice = format!("{}{}", example.text, example.text);
    assert_eq!(found(&twice).len(), 2);
}
