//! What the tags of a network and of an instance ask for.

use super::filter::Profile;
use super::settings::TagNames;
use crate::binding::{is_known_key, known_keys};
use crate::text::{Shown, nearest};

/// What a network's tags ask for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Services {
    /// A binding for nfdhcpd.
    pub nfdhcpd: bool,
    /// Routes to a guest in whose network the node has no address.
    pub ip_less_routed: bool,
    /// A private network that shares its bridge with others.
    pub mac_filtered: bool,
    /// The node's address for the guest's, outside.
    pub masquerade: bool,
    /// Keys of the binding beyond those that come with the NIC, in the order of their names.
    pub options: Vec<(String, String)>,
}

/// The other name of the tag for private networks on a shared bridge.
pub(super) const MAC_FILTERED: &str = "mac-filtered";

/// Keys that an option of a network must not set: they are the guest's own.
const GUESTS_OWN: &[&str] =
    &["MAC", "HOSTNAME", "INDEV", "IP", "SUBNET", "GATEWAY", "SUBNET6", "GATEWAY6", "EUI64", "IP6", "PREFIX6", "TAGS"];

/// Keys whose values are lists.
const LISTS: &[&str] = &["NAMESERVERS", "NAMESERVERS6", "DOMAIN_SEARCH", "NTP", "ROUTES", "ROUTES6"];

/// Keys whose values are routes.
const ROUTES: &[&str] = &["ROUTES", "ROUTES6"];

impl Services {
    /// Reads the tags of a network. A tag that is not for us is none of our business.
    ///
    /// # Errors
    /// An option for the guest that the binding does not know.
    pub fn of(tags: &str, names: &TagNames) -> Result<Self, String> {
        let mut services = Self::default();
        for tag in words(tags) {
            match tag.strip_prefix(&names.nfdhcpd).and_then(|rest| rest.strip_prefix(':')) {
                Some(option) => services.options.push(guest_option(tag, option)?),
                None => services.take(tag, names),
            }
        }
        services.options.sort();
        match services.options.windows(2).find(|pair| matches!(pair, [a, b] if a.0 == b.0)) {
            Some([(key, _), _]) => {
                Err(format!("two tags set {key} of the guest; a list is written in one, with + between"))
            }
            _ => Ok(services),
        }
    }

    /// One name may stand for several things.
    fn take(&mut self, tag: &str, names: &TagNames) {
        self.nfdhcpd |= tag == names.nfdhcpd;
        self.ip_less_routed |= tag == names.ip_less_routed;
        self.mac_filtered |= tag == names.mac_filtered || tag == MAC_FILTERED;
        self.masquerade |= tag == names.masq;
    }
}

/// Reads `KEY:VALUE` or `KEY=VALUE`. Tags of Ganeti have no `=`, no comma and no blank: `+` stands between the items of a
/// list, and `@` for `via` in a route.
fn guest_option(tag: &str, option: &str) -> Result<(String, String), String> {
    let (key, value) =
        option.split_once([':', '=']).ok_or_else(|| format!("{} has no value: nfdhcpd:KEY:VALUE", Shown(tag)))?;
    let key = option_key(key).map_err(|reason| format!("{}: {reason}", Shown(tag)))?;
    let value = if is_list(&key, value) { value.replace('+', ", ") } else { value.to_owned() };
    let value = if ROUTES.contains(&&*key) { value.replace('@', " via ") } else { value };
    Ok((key, value))
}

/// Whether a value is a list: by its key, or, of an option by number, by what it says itself.
fn is_list(key: &str, value: &str) -> bool {
    LISTS.contains(&key) || key.starts_with("OPTION_") && value.starts_with("ip:")
}

/// The key of a binding that a tag means, in any case.
fn option_key(written: &str) -> Result<String, String> {
    let key = written.to_ascii_uppercase();
    if is_known_key(&key) && !GUESTS_OWN.contains(&&*key) {
        return Ok(key);
    }
    Err(match nearest(written, known_keys().filter(|key| !GUESTS_OWN.contains(key))) {
        Some(meant) => {
            format!("no key of a binding that a network may set; did you mean {}?", meant.to_ascii_lowercase())
        }
        None => "no key of a binding that a network may set".to_owned(),
    })
}

/// What a NIC is called in the tags of its instance.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Identity<'a> {
    /// `INTERFACE_INDEX`.
    pub index: Option<&'a str>,
    /// `INTERFACE_UUID`.
    pub uuid: Option<&'a str>,
    /// `INTERFACE_NAME`.
    pub name: Option<&'a str>,
}

impl Identity<'_> {
    fn is(&self, text: &str) -> bool {
        [self.index, self.uuid, self.name].contains(&Some(text))
    }
}

/// The firewall profile of a NIC: of those that its instance's tags `synnefo:network:IDENT:PROFILE` name the strictest, None
/// for unprotected.
///
/// # Errors
/// A profile of this NIC that there is not.
pub fn profile(tags: &str, nic: &Identity<'_>) -> Result<Option<Profile>, String> {
    const PREFIX: &str = "synnefo:network:";
    let of_nic = words(tags).filter_map(|tag| {
        let (identity, profile) = tag.strip_prefix(PREFIX)?.rsplit_once(':')?;
        nic.is(identity).then_some((tag, profile))
    });
    let read = |(tag, profile): (&str, &str)| match profile {
        "protected" => Ok(Some(Profile::Protected)),
        "limited" => Ok(Some(Profile::Limited)),
        "unprotected" => Ok(None),
        _ => Err(format!("{}: the profiles are protected, limited and unprotected", Shown(tag))),
    };
    let profiles = of_nic.map(read).collect::<Result<Vec<_>, _>>()?;
    // In the order of their strictness.
    Ok(profiles.into_iter().flatten().min())
}

/// The tags of a list. Those of a NIC's file have a backslash before the blank behind them, which no tag can contain.
pub fn words(tags: &str) -> impl Iterator<Item = &str> {
    tags.split_whitespace().map(|tag| tag.strip_suffix('\\').unwrap_or(tag)).filter(|tag| !tag.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn services(tags: &str) -> Result<Services, String> {
        Services::of(tags, &TagNames::default())
    }

    #[test]
    fn tags_ask_for_services() {
        let read = services("web nfdhcpd ip-less-routed\tmasq other:nfdhcpd").unwrap();
        assert!(read.nfdhcpd && read.ip_less_routed && read.masquerade && !read.mac_filtered);
        for tag in ["private-filtered", "mac-filtered"] {
            assert_eq!(services(tag), Ok(Services { mac_filtered: true, ..Services::default() }));
        }
        assert_eq!(services(" "), Ok(Services::default()));
        let names = TagNames { nfdhcpd: "x".to_owned(), masq: "x".to_owned(), ..TagNames::default() };
        assert_eq!(
            Services::of("x masq", &names),
            Ok(Services { nfdhcpd: true, masquerade: true, ..Services::default() })
        );
    }

    #[test]
    fn tags_carry_options() {
        for (tag, key, value) in [
            ("nfdhcpd:mtu:9000", "MTU", "9000"),
            ("nfdhcpd:mtu=9000", "MTU", "9000"),
            ("nfdhcpd:NAMESERVERS:192.0.2.1+192.0.2.2", "NAMESERVERS", "192.0.2.1, 192.0.2.2"),
            ("nfdhcpd:nameservers6:2001:db8::1", "NAMESERVERS6", "2001:db8::1"),
            (
                "nfdhcpd:routes:198.51.100.0/24@192.0.2.254+203.0.113.0/24@192.0.2.253",
                "ROUTES",
                "198.51.100.0/24 via 192.0.2.254, 203.0.113.0/24 via 192.0.2.253",
            ),
            ("nfdhcpd:bootfile:tftp://a@b/c+d", "BOOTFILE", "tftp://a@b/c+d"),
            ("nfdhcpd:bootfile_efi64:grub.efi", "BOOTFILE_EFI64", "grub.efi"),
            ("nfdhcpd:option_252:text:http://a/b+c", "OPTION_252", "text:http://a/b+c"),
            ("nfdhcpd:option_72:ip:192.0.2.1+192.0.2.2", "OPTION_72", "ip:192.0.2.1, 192.0.2.2"),
        ] {
            assert_eq!(services(tag).unwrap().options, [(key.to_owned(), value.to_owned())], "{tag}");
        }
    }

    #[test]
    fn an_option_is_one_that_a_network_may_set() {
        for (tags, said) in [
            ("nfdhcpd:mtu", "has no value"),
            ("nfdhcpd:mut:9000", "did you mean mtu?"),
            ("nfdhcpd:mac:aa:00:00:00:00:01", "no key of a binding that a network may set"),
            ("nfdhcpd:ip:192.0.2.1", "no key"),
            ("nfdhcpd:option_:text:x", "no key"),
            ("nfdhcpd:bootfile_x:y", "no key"),
            ("nfdhcpd:mtu:9000 nfdhcpd:mtu:1400", "two tags set MTU"),
        ] {
            let error = services(tags).unwrap_err();
            assert!(error.contains(said), "{tags}: {error}");
        }
    }

    #[test]
    fn what_is_wrong_is_shown_on_one_line() {
        for tags in ["nfdhcpd:\u{1b}", "nfdhcpd:\u{1b}:x"] {
            assert!(!services(tags).unwrap_err().contains('\u{1b}'), "{tags:?}");
        }
        let error = profile("synnefo:network:0:\u{1b}", &Identity { index: Some("0"), ..Identity::default() });
        assert!(!error.unwrap_err().contains('\u{1b}'));
    }

    #[test]
    fn a_profile_is_found_by_any_name_of_the_nic() {
        let nic = Identity { index: Some("0"), uuid: Some("c3f0-1"), name: Some("a:b") };
        for (tags, expected) in [
            ("synnefo:network:0:protected", Some(Profile::Protected)),
            ("synnefo:network:c3f0-1:limited web", Some(Profile::Limited)),
            ("web synnefo:network:a:b:limited", Some(Profile::Limited)),
            ("synnefo:network:0:unprotected", None),
            ("synnefo:network:1:protected", None),
            ("synnefo:network:1:nonsense", None),
            (
                "synnefo:network:0:limited synnefo:network:a:b:protected synnefo:network:c3f0-1:unprotected",
                Some(Profile::Protected),
            ),
            ("synnefo:network:0:protected\\ web", Some(Profile::Protected)),
            ("", None),
        ] {
            assert_eq!(profile(tags, &nic), Ok(expected), "{tags}");
        }
        assert!(profile("synnefo:network:0:nonsense", &nic).is_err());
        assert_eq!(profile("synnefo:network:0:protected", &Identity::default()), Ok(None));
    }
}
