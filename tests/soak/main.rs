//! The pure parts of `make soak` (`benches/node/soak/`): what its judges let pass, and what not.
#![expect(clippy::indexing_slicing, reason = "all of this is a test")]

#[path = "../../benches/node/soak/directory.rs"]
mod directory;
#[path = "../../benches/node/soak/judge.rs"]
mod judge;
#[path = "../../benches/node/soak/random.rs"]
mod random;

mod of_directory;
mod of_judge;
mod of_random;
