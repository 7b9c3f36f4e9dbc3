//! The node itself, for the companion `snf-network`: what is there is read, and plans are carried out.

pub mod run;
