//! `snf-network`: see [`nfdhcpd::network`], and `snf-network --help`.

use std::process::ExitCode;

fn main() -> ExitCode {
    nfdhcpd::cli::network::main()
}
