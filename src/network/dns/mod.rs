//! Dynamic DNS: the names of guests, told to a name server.
//!
//! ```text
//! Hook ──► decide ──► Change ──► Update (one for each zone) ──► nsupdate
//!                       │           ▲
//!                       └──► dig ───┘ what the server still has, where it goes
//! ```

mod change;
mod draft;
mod record;
mod settings;
mod target;
mod update;

pub mod answer;

pub use change::{Change, Decision, Host, Idle, decide};
pub use draft::Draft;
pub use record::{Instruction, Record};
pub use settings::{Authentication, Kerberos, Principal, Server, Settings};
pub use target::{Command, Target};
pub use update::{Place, Update};
