//! What nft and iptables-save list, compared with what a node needs.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| nfdhcpd_fuzz::listings::listings(data));
