//! A sequence of events and packets: bindings, links and configuration change under the guests.
#![no_main]

use nfdhcpd_fuzz::scenario::Scenario;

libfuzzer_sys::fuzz_target!(|scenario: Scenario| scenario.run());
