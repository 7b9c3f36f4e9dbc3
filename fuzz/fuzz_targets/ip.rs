//! An IPv4 or IPv6 packet: headers, checksums, UDP.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| nfdhcpd_fuzz::messages::ip(data));
