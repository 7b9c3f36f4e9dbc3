//! A datagram of rtnetlink about links.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| nfdhcpd_fuzz::messages::link_message(data));
