//! A datagram of NFQUEUE: read, and its packets answered.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| nfdhcpd_fuzz::messages::nfqueue_message(data));
