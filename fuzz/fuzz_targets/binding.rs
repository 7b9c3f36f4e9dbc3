//! A binding file, and an engine that answers its guest.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| nfdhcpd_fuzz::texts::binding(data));
