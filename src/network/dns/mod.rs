//! Dynamic DNS: the names of guests, told to a name server.

mod draft;
mod settings;

pub use draft::Draft;
pub use settings::{Authentication, Kerberos, Principal, Server, Settings};
