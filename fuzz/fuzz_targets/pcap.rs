//! A capture, pcap or pcapng.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| nfdhcpd_fuzz::messages::pcap(data));
