//! `branch_loan_api::fuzzing::lexical` under libFuzzer.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| branch_loan_api::fuzzing::lexical(data));
