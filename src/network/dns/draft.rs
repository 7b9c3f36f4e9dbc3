//! What the settings' file says of dynamic DNS, key by key, until it is known whether that is enough.

use std::collections::BTreeMap;

use super::settings::{Authentication, Kerberos, Settings};
use crate::network::settings::absolute;
use crate::text::{number, parsed};

/// The keys that have a value, as written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Draft(BTreeMap<&'static str, String>);

/// What is wrong, and with which key.
pub(crate) type Fault = (&'static str, String);

/// The keys, in the order of the documentation.
const KEYS: [&str; 9] =
    ["AUTHENTICATION_METHOD", "SERVER", "FZONE", "KEYFILE", "TTL", PRINCIPAL, KEYTAB, TICKET, "KERBEROS_KSTART_ARGS"];
const PRINCIPAL: &str = "KERBEROS_PRINCIPAL";
const KEYTAB: &str = "KERBEROS_KEYTAB";
const TICKET: &str = "KERBEROS_TICKET";

impl Draft {
    /// The name of every key.
    pub fn keys() -> impl Iterator<Item = &'static str> {
        KEYS.into_iter()
    }

    /// Takes a value, if the key is one of ours.
    pub fn set(&mut self, key: &str, value: &str) -> bool {
        let known = KEYS.into_iter().find(|known| *known == key);
        if let Some(known) = known
            && !value.is_empty()
        {
            self.0.insert(known, value.to_owned());
        }
        known.is_some()
    }

    /// What all of it means.
    ///
    /// # Errors
    /// A value that cannot be, or one that the method of authentication needs and that is missing.
    pub fn settings(&self) -> Result<Settings, Fault> {
        Ok(Settings {
            server: self.read("SERVER", parsed)?,
            zone: self.read("FZONE", parsed)?,
            ttl: self.read("TTL", |text| number(text, 0..=Settings::MAX_TTL))?.unwrap_or(Settings::TTL),
            authentication: self.authentication()?,
        })
    }

    fn authentication(&self) -> Result<Authentication, Fault> {
        match self.0.get("AUTHENTICATION_METHOD").map_or("plain", String::as_str) {
            "plain" => Ok(Authentication::Plain),
            "bind9" => Ok(Authentication::Bind9 { keyfile: self.required("KEYFILE", absolute)? }),
            "kerberos" => Ok(Authentication::Kerberos(self.kerberos()?)),
            _ => Err(("AUTHENTICATION_METHOD", "not plain, bind9 or kerberos".to_owned())),
        }
    }

    fn kerberos(&self) -> Result<Kerberos, Fault> {
        let arguments = |text: &str| Ok(text.split_whitespace().map(str::to_owned).collect());
        Ok(Kerberos {
            principal: self.required(PRINCIPAL, parsed)?,
            keytab: self.required(KEYTAB, absolute)?,
            ticket: self.required(TICKET, absolute)?,
            kstart_args: self.read("KERBEROS_KSTART_ARGS", arguments)?.unwrap_or_default(),
        })
    }

    fn read<T>(&self, key: &'static str, read: impl Fn(&str) -> Result<T, String>) -> Result<Option<T>, Fault> {
        self.0.get(key).map(|value| read(value).map_err(|reason| (key, reason))).transpose()
    }

    fn required<T>(&self, key: &'static str, read: impl Fn(&str) -> Result<T, String>) -> Result<T, Fault> {
        self.read(key, read)?.ok_or_else(|| (key, "missing: AUTHENTICATION_METHOD needs it".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(pairs: &[(&str, &str)]) -> Result<Settings, Fault> {
        let mut draft = Draft::default();
        for (key, value) in pairs {
            assert!(draft.set(key, value), "{key}");
        }
        draft.settings()
    }

    #[test]
    fn nothing_said_is_nothing_done() {
        assert_eq!(settings(&[]), Ok(Settings::default()));
        assert_eq!(settings(&[("SERVER", "")]), Ok(Settings::default()));
        assert!(!Draft::default().set("STATE_DIR", "/x"));
    }

    #[test]
    fn each_method_has_its_keys() {
        let base = [("SERVER", "192.0.2.53"), ("FZONE", "example.com"), ("TTL", "60")];
        let with = |more: &[(&'static str, &'static str)]| settings(&[&base[..], more].concat());
        assert_eq!(with(&[("AUTHENTICATION_METHOD", "plain")]).unwrap().ttl, 60);
        let bind9 = with(&[("AUTHENTICATION_METHOD", "bind9"), ("KEYFILE", "/k")]).unwrap();
        assert_eq!(bind9.authentication, Authentication::Bind9 { keyfile: "/k".into() });
        let kerberos = with(&[
            ("AUTHENTICATION_METHOD", "kerberos"),
            (PRINCIPAL, "snf@EXAMPLE.COM"),
            (KEYTAB, "/k"),
            (TICKET, "/t"),
            ("KERBEROS_KSTART_ARGS", "-5  -l 2m"),
        ]);
        let Authentication::Kerberos(kerberos) = kerberos.unwrap().authentication else { panic!("not kerberos") };
        assert_eq!(kerberos.kstart_args, ["-5", "-l", "2m"]);
    }

    #[test]
    fn faults_name_the_key() {
        for (pairs, key) in [
            (&[("TTL", "-1")][..], "TTL"),
            (&[("SERVER", "a b c")], "SERVER"),
            (&[("FZONE", "a..b")], "FZONE"),
            (&[("AUTHENTICATION_METHOD", "x")], "AUTHENTICATION_METHOD"),
            (&[("AUTHENTICATION_METHOD", "bind9")], "KEYFILE"),
            (&[("AUTHENTICATION_METHOD", "bind9"), ("KEYFILE", "k")], "KEYFILE"),
            (&[("AUTHENTICATION_METHOD", "kerberos"), (PRINCIPAL, "a"), (KEYTAB, "/k")], TICKET),
        ] {
            assert_eq!(settings(pairs).unwrap_err().0, key);
        }
    }
}
