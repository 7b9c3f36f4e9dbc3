//! The configuration file, and an engine that runs with it.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| nfdhcpd_fuzz::texts::config(data));
