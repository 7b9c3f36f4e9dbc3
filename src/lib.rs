//! `nfdhcpd` gives virtual machines their network configuration on the node they run on.

pub mod binding;
pub mod config;
mod text;
pub mod wire;
