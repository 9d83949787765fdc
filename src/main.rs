//! The commands of the `branch-loan-api` binary.

fn main() {}
