//! A Router or Neighbor Solicitation: read, and decided on.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| nfdhcpd_fuzz::messages::ndp(data));
