//! A DHCPv6 message: read, and answered by every fixed binding.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| nfdhcpd_fuzz::messages::dhcpv6(data));
