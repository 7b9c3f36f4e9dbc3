//! The name server, and the programs that speak with it: `nsupdate` for updates, `dig` for questions.
//!
//! They come with the same package. What they are given is made of checked names, addresses and paths alone, and no shell
//! ever sees it.

use std::ffi::{OsStr, OsString};
use std::fmt;

use super::record::address_type;
use super::settings::{Authentication, Kerberos, Server, Settings};
use super::update::{Place, Update};
use crate::network::Family;
use crate::wire::DomainName;

/// A name server that takes updates, all that is needed for them known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target<'s> {
    /// Where it is.
    pub server: &'s Server,
    /// The zone of the names.
    pub zone: &'s DomainName,
    /// How long others may remember a record, in seconds.
    pub ttl: u32,
    authentication: &'s Authentication,
}

/// A program, what it is given, and what it reads. Its text is what `--dry-run` prints: as a shell would have it, and
/// indented what it reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// A name, for the administrator's path.
    pub program: &'static str,
    /// What follows the name.
    pub arguments: Vec<OsString>,
    /// What it reads on its standard input.
    pub input: String,
}

impl Settings {
    /// The server; None if the settings name none, or no zone.
    pub fn target(&self) -> Option<Target<'_>> {
        let (server, zone) = (self.server.as_ref()?, self.zone.as_ref()?);
        Some(Target { server, zone, ttl: self.ttl, authentication: &self.authentication })
    }
}

impl Target<'_> {
    /// What sends an update. It gives up after four seconds: two attempts by UDP of two, or one by TCP.
    pub fn sends(&self, update: &Update) -> Command {
        let mut nsupdate = Command::new("nsupdate", ["-t", "4", "-u", "2", "-r", "1"], self.script(update));
        match self.authentication {
            Authentication::Plain => nsupdate,
            Authentication::Bind9 { keyfile } => {
                nsupdate.arguments.extend([OsString::from("-k"), keyfile.into()]);
                nsupdate
            }
            Authentication::Kerberos(kerberos) => {
                nsupdate.arguments.push("-g".into());
                kerberos.with_ticket(nsupdate)
            }
        }
    }

    /// What asks the server itself, not others through it, for the addresses of a name. It gives up after four seconds.
    pub fn asks(&self, name: &DomainName) -> Command {
        // Without -r it would read a file of whoever runs it.
        let usual = ["-r", "+noall", "+comments", "+answer", "+norecurse", "+time=1", "+tries=2"];
        let mut dig = Command::new("dig", usual, String::new());
        dig.arguments.push(format!("@{}", self.server.host()).into());
        dig.arguments.extend(["-p".into(), self.server.port().to_string().into()]);
        if let Authentication::Bind9 { keyfile } = self.authentication {
            dig.arguments.extend([OsString::from("-k"), keyfile.into()]);
        }
        for family in [Family::V4, Family::V6] {
            // A name may begin with a dash.
            dig.arguments.extend(["-q", &format!("{name}."), "-t", address_type(family)].map(OsString::from));
        }
        dig
    }

    fn script(&self, update: &Update) -> String {
        let server = format!("server {} {}\n", self.server.host(), self.server.port());
        let zone = match &update.place {
            Place::Zone(zone) => format!("zone {zone}.\n"),
            Place::ReverseOf(_) => String::new(),
        };
        format!("{server}{zone}{update}send\n")
    }
}

impl Kerberos {
    /// A command with a ticket in its environment. Without -x it would wait for one for ever.
    fn with_ticket(&self, command: Command) -> Command {
        let mut k5start = Command::new("k5start", ["-x"], command.input);
        let ticket = [OsStr::new("-f"), self.keytab.as_ref(), OsStr::new("-k"), self.ticket.as_ref()];
        k5start.arguments.extend(ticket.map(OsStr::to_owned));
        k5start.arguments.extend(self.kstart_args.iter().map(OsString::from));
        k5start.arguments.extend([self.principal.as_str(), "--", command.program].map(OsString::from));
        k5start.arguments.extend(command.arguments);
        k5start
    }
}

impl Command {
    fn new<const N: usize>(program: &'static str, arguments: [&str; N], input: String) -> Self {
        Self { program, arguments: arguments.map(OsString::from).into(), input }
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.program)?;
        for argument in self.arguments.iter().map(|argument| argument.to_string_lossy()) {
            write!(
                f,
                " {}",
                shlex::try_quote(&argument).unwrap_or_else(|_| argument.escape_debug().to_string().into())
            )?;
        }
        f.write_str("\n")?;
        self.input.lines().try_for_each(|line| writeln!(f, "    {line}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::dns::{Instruction, Record};

    fn settings(authentication: Authentication) -> Settings {
        let zone = "example.com".parse().ok();
        Settings { server: "192.0.2.53".parse().ok(), zone, ttl: 300, authentication }
    }

    fn update(place: Place) -> Update {
        let record = Record::Address("a.example.com".parse().unwrap(), "192.0.2.1".parse().unwrap());
        Update { place, instructions: vec![Instruction::Remove(record.clone()), Instruction::Add(record, 300)] }
    }

    fn kerberos() -> Authentication {
        Authentication::Kerberos(Kerberos {
            principal: "snf/node1@EXAMPLE.COM".parse().unwrap(),
            keytab: "/etc/snf.keytab".into(),
            ticket: "/run/snf ticket".into(),
            kstart_args: vec!["-l".into(), "5m".into(), "$(id)".into()],
        })
    }

    #[test]
    fn without_server_or_zone_there_is_no_target() {
        let complete = settings(Authentication::Plain);
        assert!(complete.target().is_some());
        assert_eq!(Settings { server: None, ..complete.clone() }.target(), None);
        assert_eq!(Settings { zone: None, ..complete }.target(), None);
    }

    #[test]
    fn a_script_names_server_and_zone() {
        let settings = settings(Authentication::Plain);
        let target = settings.target().unwrap();
        let zone = Place::Zone("example.com".parse().unwrap());
        let instructions =
            "update delete a.example.com. A 192.0.2.1\nupdate add a.example.com. 300 A 192.0.2.1\nsend\n";
        let expected = format!("server 192.0.2.53 53\nzone example.com.\n{instructions}");
        assert_eq!(target.sends(&update(zone)).input, expected);
        let expected = format!("server 192.0.2.53 53\n{instructions}");
        assert_eq!(target.sends(&update(Place::ReverseOf("192.0.2.1".parse().unwrap()))).input, expected);
    }

    #[test]
    fn each_method_has_its_arguments() {
        let keyfile = "/etc/my key".into();
        for (authentication, program, arguments) in [
            (Authentication::Plain, "nsupdate", &["-t", "4", "-u", "2", "-r", "1"][..]),
            (Authentication::Bind9 { keyfile }, "nsupdate", &["-t", "4", "-u", "2", "-r", "1", "-k", "/etc/my key"]),
            (
                kerberos(),
                "k5start",
                &[
                    "-x",
                    "-f",
                    "/etc/snf.keytab",
                    "-k",
                    "/run/snf ticket",
                    "-l",
                    "5m",
                    "$(id)",
                    "snf/node1@EXAMPLE.COM",
                    "--",
                    "nsupdate",
                    "-t",
                    "4",
                    "-u",
                    "2",
                    "-r",
                    "1",
                    "-g",
                ],
            ),
        ] {
            let settings = settings(authentication);
            let command = settings.target().unwrap().sends(&update(Place::ReverseOf("192.0.2.1".parse().unwrap())));
            assert_eq!((command.program, command.arguments), (program, arguments.iter().map(OsString::from).collect()));
            assert!(command.input.starts_with("server 192.0.2.53 53\n"), "{}", command.input);
        }
    }

    #[test]
    fn a_question_is_for_both_families_and_no_name_is_an_option() {
        let settings = settings(Authentication::Bind9 { keyfile: "/k".into() });
        let asks = settings.target().unwrap().asks(&"-x.example.com".parse().unwrap());
        let expected = "dig -r +noall +comments +answer +norecurse '+time=1' '+tries=2' @192.0.2.53 -p 53 -k /k \
            -q -x.example.com. -t A -q -x.example.com. -t AAAA\n";
        assert_eq!(asks.to_string(), expected);
    }

    #[test]
    fn what_a_shell_would_read_otherwise_is_shown_in_quotes() {
        let settings = settings(kerberos());
        let command = settings.target().unwrap().sends(&update(Place::ReverseOf("192.0.2.1".parse().unwrap())));
        let expected = "k5start -x -f /etc/snf.keytab -k '/run/snf ticket' -l 5m '$(id)' snf/node1@EXAMPLE.COM -- ";
        assert!(command.to_string().starts_with(expected), "{command}");
    }

    #[test]
    fn a_command_is_shown_with_what_it_reads() {
        let settings = settings(Authentication::Plain);
        let command = settings.target().unwrap().sends(&update(Place::Zone("example.com".parse().unwrap())));
        let expected = "nsupdate -t 4 -u 2 -r 1\n    server 192.0.2.53 53\n    zone example.com.\n    \
            update delete a.example.com. A 192.0.2.1\n    update add a.example.com. 300 A 192.0.2.1\n    send\n";
        assert_eq!(command.to_string(), expected);
    }
}
