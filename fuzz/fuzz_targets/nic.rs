//! What Ganeti says of a NIC, and a plan made of it.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| nfdhcpd_fuzz::nic::nic(data));
