//! What a guest boots from the network, and from where: made with the binding, chosen by what the client says of itself.

use std::borrow::Cow;
use std::net::Ipv4Addr;

use crate::binding::Settings;
use crate::config::Dhcp;
use crate::setting::{Architecture, BootClient, BootFiles, Loader, Printable};
use crate::wire::dhcpv4::{Options, code};

/// How the vendor class of a UEFI HTTP client begins, and what the answer to one must say there: it looks no further at
/// an offer without it (UEFI specification, HTTP Boot).
pub(super) const HTTP_CLIENT: &[u8] = b"HTTPClient";

/// The user class of iPXE.
const IPXE: &[u8] = b"iPXE";

/// The boot files of a guest, its own or the node's, and the server that has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Boot {
    /// `siaddr` (RFC 2131 §2), or 0.0.0.0.
    pub(super) server: Ipv4Addr,
    files: BootFiles,
}

impl Boot {
    /// What the guest with these settings boots on this node.
    pub(super) fn new(settings: &Settings, config: &Dhcp) -> Self {
        let files = if settings.bootfiles.is_empty() { &config.bootfiles } else { &settings.bootfiles };
        Self { server: server(settings, config).unwrap_or(Ipv4Addr::UNSPECIFIED), files: files.clone() }
    }

    /// Whether there is nothing to boot, whoever asks.
    pub(super) fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// The file for the client that says this of itself, if there is one.
    pub(super) fn file_for(&self, options: &Options<'_>) -> Option<Choice<'_>> {
        if self.files.is_empty() {
            return None;
        }
        let loader = loader(options);
        let architecture = options.architectures().find_map(Architecture::from_number);
        let file = self.files.choose(BootClient { loader, architecture })?;
        Some(Choice { file, is_http: loader == Loader::Http && file.is_http_url() })
    }

    /// What takes most room in a reply: the longest file, and that it is for HTTP if any is.
    pub(super) fn longest(&self) -> Option<Choice<'_>> {
        let (_, file) = self.files.iter().max_by_key(|(_, file)| file.as_bytes().len())?;
        Some(Choice { file, is_http: self.files.iter().any(|(_, file)| file.is_http_url()) })
    }
}

/// A boot file that fits a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Choice<'a> {
    /// Its path or URL.
    pub(super) file: &'a Printable,
    /// Whether it is for UEFI HTTP Boot.
    pub(super) is_http: bool,
}

/// The key of the file that takes most room.
pub(super) fn longest_key(settings: &Settings, config: &Dhcp) -> Cow<'static, str> {
    let longest = |files: &BootFiles| {
        let (suffix, _) = files.iter().max_by_key(|(_, file)| file.as_bytes().len())?;
        Some(suffix)
    };
    match (longest(&settings.bootfiles), longest(&config.bootfiles)) {
        (Some(suffix), _) => format!("BOOTFILE{suffix}").into(),
        (None, suffix) => format!("dhcp.bootfile{}", suffix.unwrap_or_default().to_ascii_lowercase()).into(),
    }
}

/// `NEXT_SERVER`, else the address that `TFTP_SERVER` is; what the binding says comes before what the node says.
fn server(settings: &Settings, config: &Dhcp) -> Option<Ipv4Addr> {
    let address = |name: &Option<Printable>| name.as_ref().and_then(|name| name.as_str().parse().ok());
    let nodes_name = || config.tftp_server.clone().filter(|_| settings.tftp_server.is_none());
    settings
        .next_server
        .or_else(|| address(&settings.tftp_server))
        .or(config.next_server)
        .or_else(|| address(&nodes_name()))
}

/// What asks. iPXE comes first: whatever it was started by, it says in option 60 what it would be as firmware.
fn loader(options: &Options<'_>) -> Loader {
    if options.has_user_class(IPXE) || options.contains(code::ETHERBOOT) {
        Loader::Ipxe
    } else if options.has_vendor_class(HTTP_CLIENT) {
        Loader::Http
    } else {
        Loader::Pxe
    }
}
