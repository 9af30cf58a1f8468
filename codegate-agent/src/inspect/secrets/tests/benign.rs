//! What must not be found.

use super::secrets;

#[test]
fn prose() {
    assert!(secrets("the password is required, and the token: a string").is_empty());
}
