//! `nfdhcpd` gives virtual machines their network configuration on the node they run on.

pub mod binding;
mod text;
pub mod wire;
