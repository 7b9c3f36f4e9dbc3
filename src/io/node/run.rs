//! Another program, run to its end or to the end of our patience.
//!
//! Nothing here goes through a shell: a program is given a vector of arguments, an environment of which every variable is
//! named, and bytes on its standard input.

use std::convert::Infallible;
use std::ffi::OsString;
use std::future;
use std::io;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::process::{Output, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::{self, Pid};
use tokio::io::AsyncWriteExt as _;
use tokio::net::unix::pipe::Receiver;
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::runtime::Builder;

use crate::text::Visible;

/// How much a program may say on each of its outputs, in bytes: more than nft has to say of ten thousand taps.
const MAX_OUTPUT: usize = 64 << 20;
/// How much is read at once, in bytes: what a pipe holds.
const CHUNK_LEN: usize = 64 << 10;

/// Where programs are looked for: where an administrator's are, whoever runs us.
pub const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// A program, and all that it is given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// A path; or a name, looked for in the `PATH` of `environment`.
    pub path: PathBuf,
    /// What follows the name.
    pub arguments: Vec<OsString>,
    /// Its environment, all of it.
    pub environment: Vec<(OsString, OsString)>,
    /// What it reads on its standard input.
    pub input: Vec<u8>,
    /// How long it may take.
    pub timeout: Duration,
}

/// A program did not come to an end of its own.
#[derive(Debug, thiserror::Error)]
#[error("{}: {reason}", .program.display())]
pub struct RunError {
    /// Which.
    pub program: PathBuf,
    /// Why.
    pub reason: RunFault,
}

/// Why a program did not come to an end of its own.
#[derive(Debug, thiserror::Error)]
pub enum RunFault {
    /// There is none, or it may not be executed.
    #[error("cannot be run: {0}")]
    Start(io::Error),
    /// It took too long, and was killed with all that it had started.
    #[error("still running after {0:?}, and killed")]
    Timeout(Duration),
    /// It said too much, or a system call failed; it was killed with all that it had started.
    #[error("killed: {0}")]
    Talk(io::Error),
}

impl Program {
    /// A program with an environment of [`PATH`] and the plain locale, and nothing to read.
    pub fn new(path: impl Into<PathBuf>, arguments: &[&str], timeout: Duration) -> Self {
        Self {
            path: path.into(),
            arguments: arguments.iter().map(OsString::from).collect(),
            environment: [("PATH", PATH), ("LC_ALL", "C")].map(|(name, value)| (name.into(), value.into())).into(),
            input: Vec::new(),
            timeout,
        }
    }

    /// Runs it, and waits for its end. What it leaves running in the background is not waited for. Not to be called inside
    /// a runtime.
    ///
    /// # Errors
    /// It could not be run, or did not end by itself. A status other than 0 is no error here.
    pub fn run(&self) -> Result<Output, RunError> {
        let fail = |reason| RunError { program: self.path.clone(), reason };
        let runtime = Builder::new_current_thread().enable_all().build().map_err(RunFault::Start).map_err(fail)?;
        runtime.block_on(self.run_bounded()).map_err(fail)
    }

    async fn run_bounded(&self) -> Result<Output, RunFault> {
        let mut child = self.spawn().map_err(RunFault::Start)?;
        let fault = match tokio::time::timeout(self.timeout, talk(&mut child, &self.input)).await {
            Ok(Ok(output)) => return Ok(output),
            Ok(Err(error)) => RunFault::Talk(error),
            Err(_) => RunFault::Timeout(self.timeout),
        };
        kill_all(&mut child).await.map_err(RunFault::Talk)?;
        Err(fault)
    }

    /// Starts it, as the head of a process group of its own.
    fn spawn(&self) -> io::Result<Child> {
        Command::new(&self.path)
            .args(&self.arguments)
            .env_clear()
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
    }
}

/// Gives a program its input and takes its output, until it ends.
async fn talk(child: &mut Child, input: &[u8]) -> io::Result<Output> {
    let stdin = child.stdin.take();
    let mut stdout = Collected::of(child.stdout.take().map(ChildStdout::into_owned_fd))?;
    let mut stderr = Collected::of(child.stderr.take().map(ChildStderr::into_owned_fd))?;
    let both = async { tokio::try_join!(feed(stdin, input), stdout.collect(), stderr.collect()) };
    let status = tokio::select! {
        status = child.wait() => status?,
        error = unless_it_fails(both) => return Err(error),
    };
    Ok(Output { status, stdout: stdout.finish()?, stderr: stderr.finish()? })
}

/// Writes what a program is to read. One that ends, or closes its input, without reading it all does so by its own choice.
async fn feed(pipe: Option<ChildStdin>, input: &[u8]) -> io::Result<()> {
    if let Some(mut pipe) = pipe {
        let _unread = pipe.write_all(input).await;
    }
    Ok(())
}

/// The error of `work`. If there is none it waits on: that a program closes its outputs is not its end.
async fn unless_it_fails<T>(work: impl Future<Output = io::Result<T>>) -> io::Error {
    match work.await {
        Ok(_) => match future::pending::<Infallible>().await {},
        Err(error) => error,
    }
}

/// Kills a program and all of its group, and waits for its end.
async fn kill_all(child: &mut Child) -> io::Result<()> {
    // It has not been waited for, so its number is still its own.
    if let Some(id) = child.id() {
        killpg(Pid::from_raw(id as i32), Signal::SIGKILL)?;
    }
    child.wait().await.map(drop)
}

/// What a program says on one of its outputs.
struct Collected {
    pipe: Receiver,
    bytes: Vec<u8>,
}

impl Collected {
    fn of(pipe: Option<io::Result<OwnedFd>>) -> io::Result<Self> {
        let pipe = pipe.ok_or(io::ErrorKind::BrokenPipe)??;
        Ok(Self { pipe: Receiver::from_owned_fd(pipe)?, bytes: Vec::new() })
    }

    /// Reads until nobody has the other end.
    async fn collect(&mut self) -> io::Result<()> {
        loop {
            self.pipe.readable().await?;
            match self.read(Receiver::try_read) {
                Ok(0) => return Ok(()),
                Err(error) if error.kind() != io::ErrorKind::WouldBlock => return Err(error),
                _ => {}
            }
        }
    }

    /// Reads what is left after the program's end. Something in the background may still have the other end.
    fn finish(mut self) -> io::Result<Vec<u8>> {
        loop {
            // The pipe itself is asked: tokio may not have been told yet of what came last.
            match self.read(|pipe, chunk| Ok(unistd::read(pipe, chunk)?)) {
                Ok(0) => return Ok(self.bytes),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(self.bytes),
                other => other.map(drop)?,
            }
        }
    }

    fn read(&mut self, read: impl FnOnce(&Receiver, &mut [u8]) -> io::Result<usize>) -> io::Result<usize> {
        let mut chunk = [0; CHUNK_LEN];
        let count = read(&self.pipe, &mut chunk)?;
        self.bytes.extend_from_slice(chunk.get(..count).unwrap_or_default());
        if self.bytes.len() > MAX_OUTPUT { Err(io::Error::other("it says too much")) } else { Ok(count) }
    }
}

/// The first line with anything on it of what a program said, fit to be shown.
pub fn first_line(said: &[u8]) -> String {
    shown(said.split(|byte| *byte == b'\n').find(|line| !line.trim_ascii().is_empty()))
}

/// The last line with anything on it of what a program said, fit to be shown.
pub fn last_line(said: &[u8]) -> String {
    shown(said.rsplit(|byte| *byte == b'\n').find(|line| !line.trim_ascii().is_empty()))
}

fn shown(line: Option<&[u8]>) -> String {
    /// How much of a line is shown, in bytes.
    const MAX: usize = 400;
    let line = line.unwrap_or_default().trim_ascii();
    let line = line.get(..MAX).unwrap_or(line);
    Visible(&String::from_utf8_lossy(line)).to_string()
}

#[cfg(test)]
mod tests {
    #![expect(clippy::disallowed_methods, reason = "the outside world is what is tested")]

    use std::fs::OpenOptions;
    use std::os::fd::AsFd as _;
    use std::os::unix::fs::OpenOptionsExt as _;

    use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
    use nix::sys::stat::Mode;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(60);

    /// A shell script, for tests only: it stands for the administrator's.
    fn shell(script: &str, timeout: Duration) -> Program {
        Program::new("/bin/sh", &["-c", script], timeout)
    }

    fn said(script: &str) -> (Option<i32>, String, String) {
        let Output { status, stdout, stderr } = shell(script, PATIENCE).run().unwrap();
        (status.code(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
    }

    #[test]
    fn status_and_both_outputs_are_told() {
        assert_eq!(said("echo out; echo err >&2; exit 3"), (Some(3), "out\n".into(), "err\n".into()));
        assert_eq!(said("exec >&- 2>&-; exit 4"), (Some(4), String::new(), String::new()));
        assert_eq!(said("kill -9 $$"), (None, String::new(), String::new()));
    }

    #[test]
    fn the_environment_is_what_was_given_and_the_arguments_are_no_script() {
        let program = Program::new("env", &[], PATIENCE);
        assert_eq!(program.run().unwrap().stdout, format!("LC_ALL=C\nPATH={PATH}\n").into_bytes());
        let program = Program::new("printf", &["%s|", "$(id)", "`id`", "a b", ";"], PATIENCE);
        assert_eq!(program.run().unwrap().stdout, b"$(id)|`id`|a b|;|");
    }

    #[test]
    fn input_and_output_larger_than_a_pipe_go_through() {
        let input = b"0123456789abcde\n".repeat(40_000);
        let program = Program { input: input.clone(), ..Program::new("cat", &[], PATIENCE) };
        assert_eq!(program.run().unwrap().stdout, input);
        let deaf = Program { input, ..Program::new("true", &[], PATIENCE) };
        assert!(deaf.run().unwrap().status.success());
    }

    #[test]
    fn what_hangs_is_killed_with_all_that_it_started() {
        let fifo = std::env::temp_dir().join(format!("node-run-{}.fifo", std::process::id()));
        unistd::mkfifo(&fifo, Mode::S_IRWXU).unwrap();
        let reader = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(&fifo).unwrap();
        let script = format!("exec 3> {}; sleep 1000 & wait", fifo.display());
        let error = shell(&script, Duration::from_secs(1)).run().unwrap_err();
        std::fs::remove_file(&fifo).unwrap();
        assert_eq!(error.to_string(), "/bin/sh: still running after 1s, and killed");
        // It hangs up when the last of them is gone.
        let mut polled = [PollFd::new(reader.as_fd(), PollFlags::empty())];
        poll(&mut polled, PollTimeout::try_from(PATIENCE).unwrap()).unwrap();
        assert_eq!(polled[0].revents(), Some(PollFlags::POLLHUP));
    }

    #[test]
    fn what_runs_on_in_the_background_is_not_waited_for() {
        let (status, pid, _) = said("sleep 1000 & echo $!");
        assert_eq!(status, Some(0));
        nix::sys::signal::kill(Pid::from_raw(pid.trim().parse().unwrap()), Signal::SIGKILL).unwrap();
    }

    #[test]
    fn a_program_that_is_not_there_is_an_error_with_its_name() {
        let error = Program::new("/nonexistent/nft", &[], PATIENCE).run().unwrap_err();
        assert_eq!(error.to_string(), "/nonexistent/nft: cannot be run: No such file or directory (os error 2)");
    }

    #[test]
    fn one_that_never_ends_talking_is_ended() {
        let error = Program::new("yes", &[], PATIENCE).run().unwrap_err();
        assert_eq!(error.to_string(), "yes: killed: it says too much");
    }

    #[test]
    fn lines_are_shown_as_they_are_but_for_what_a_terminal_would_obey() {
        let text = b"\n  first \x1b[31m\nmiddle\nit's last\n\n";
        assert_eq!(first_line(text), "first \\u{1b}[31m");
        assert_eq!(last_line(text), "it's last");
        assert_eq!(first_line(b" \n"), "");
        assert_eq!(last_line(&[b'x'; 5000]).len(), 400);
    }
}
