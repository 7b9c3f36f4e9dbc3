//! `nfdhcpd` gives virtual machines their network configuration on the node they run on.

pub mod binding;
pub mod config;
pub mod engine;
mod text;
pub mod wire;
