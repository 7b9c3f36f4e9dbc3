//! No fuzzing: writes what is in a capture as seeds of the other targets, see `seeds.sh`.
//!
//! A target because every target is built alike, and is run on each file it is given.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| nfdhcpd_fuzz::seeds::write(data));
