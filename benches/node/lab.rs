//! What the benchmark has in common with the tests in namespaces.

#[path = "../../tests/lab/harness/frames.rs"]
#[expect(dead_code, reason = "frames are sent by a loop of our own")]
pub(crate) mod frames;
#[path = "../../tests/lab/harness/process.rs"]
#[expect(dead_code, reason = "tests alone wait for what a process says")]
pub(crate) mod process;
#[path = "../../tests/lab/harness/queues.rs"]
#[expect(dead_code, reason = "losses are asserted by tests alone")]
pub(crate) mod queues;
#[path = "../../tests/lab/harness/supervisor.rs"]
#[expect(dead_code, reason = "its deeds are asserted by tests alone")]
pub(crate) mod supervisor;
#[path = "../../tests/lab/harness/wait.rs"]
pub(crate) mod wait;

pub(crate) use wait::soon;

pub(crate) use crate::inside::SCRATCH;
pub(crate) use process::Process;
