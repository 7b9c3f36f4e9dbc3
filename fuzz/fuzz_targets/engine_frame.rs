//! An Ethernet frame of a guest in, an outcome out.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| nfdhcpd_fuzz::engine_frame(data));
