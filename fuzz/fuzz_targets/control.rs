//! A line on the control socket, as the daemon and as its caller read it.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| nfdhcpd_fuzz::texts::control(data));
