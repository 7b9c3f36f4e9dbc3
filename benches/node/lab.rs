//! What the benchmark has in common with the tests in namespaces.

#[path = "../../tests/lab/harness/frames.rs"]
#[expect(dead_code, reason = "frames are sent by a loop of our own")]
pub(crate) mod frames;
