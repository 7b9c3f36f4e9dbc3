//! Whether anybody is at the other end of what a program writes to.

use std::io;
use std::os::fd::AsFd;

use nix::errno::Errno;
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};

/// Waits until nobody can read any more what is written there: the last reader of a pipe has closed it, or a terminal is hung up.
///
/// # Errors
/// It cannot be waited for, as with a file.
pub fn wait(output: impl AsFd) -> io::Result<()> {
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
    // That it is broken or hung up is told unasked.
    epoll.add(&output, EpollEvent::new(EpollFlags::empty(), 0))?;
    loop {
        match epoll.wait(&mut [EpollEvent::empty()], EpollTimeout::NONE) {
            // As where the program was stopped and goes on (signal(7)).
            Err(Errno::EINTR) => {}
            result => return Ok(result.map(drop)?),
        }
    }
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "a test opens a file")]
mod tests {
    use std::fs::File;

    use super::*;

    #[test]
    fn a_pipe_ends_with_its_last_reader() {
        let (reader, writer) = io::pipe().unwrap();
        drop(reader);
        wait(writer).unwrap();
    }

    #[test]
    fn nobody_hangs_up_a_file() {
        assert!(wait(File::open("/proc/self/exe").unwrap()).is_err());
    }
}
