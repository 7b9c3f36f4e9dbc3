//! What a running daemon is asked on its control socket, and what it answers: the types, and their JSON.
//!
//! A line asks, lines answer: `docs/control.md` describes them to other programs. Both sides use the types here; who
//! carries the lines is in `io::unix_socket`, `daemon::answering` and `cli::client`.

mod answer;
mod describe;
mod explained;
mod hex;
mod json;
mod request;
mod settings;
mod traced;
mod waited;

pub use answer::{
    Answer, Binding, Delegated, Exchange, Fault, FaultKind, Ipv4, Ipv6, Last, Node, Packets, Spoofed, State, Tap,
};
pub use explained::{Diverted, Explained, Link, Rehearsed};
pub use hex::Hex;
pub use json::{from_line, to_line, to_pretty};
pub use request::Request;
pub use traced::{Decision, Lost, Noticed};
pub use waited::{WaitResult, Waited};

#[cfg(test)]
mod tests;
