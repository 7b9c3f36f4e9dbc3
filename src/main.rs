//! `nfdhcpd`: see the library's documentation, and `nfdhcpd --help`.

use std::process::ExitCode;

fn main() -> ExitCode {
    nfdhcpd::cli::main()
}
