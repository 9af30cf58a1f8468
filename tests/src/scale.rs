//! How much of something a test does.

use std::env;

/// Set where the machine is emulated (`cargo xtask test vm`), which makes it some twenty times slower.
const EMULATED: &str = "CODEGATE_LAB_EMULATED";

/// So many; a tenth of it on an emulated machine, where the kernel's answers count and not the figure.
#[must_use]
pub fn many(count: usize) -> usize {
    if env::var_os(EMULATED).is_some() {
        count / 10
    } else {
        count
    }
}
