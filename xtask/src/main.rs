//! Every developer action.
fn main() {}
