//! Which file a guest boots from the network: by what asks for it, and by its processor.

use std::collections::BTreeMap;

use super::Printable;

/// What asks for a boot file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Loader {
    /// Anything else: the firmware's PXE, or an operating system.
    Pxe,
    /// iPXE: its user class (option 77) or its own option 175 says so.
    Ipxe,
    /// UEFI HTTP Boot: its vendor class (option 60) begins with `HTTPClient`.
    Http,
}

/// The processor and firmware that a client reports in option 93 (RFC 4578 §2.1, and the registry that it founded).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Architecture {
    /// x86 with a BIOS.
    Bios,
    /// x86 with a 32-bit UEFI.
    Efi32,
    /// x86-64 with UEFI.
    Efi64,
    /// 32-bit Arm with UEFI.
    Arm32,
    /// 64-bit Arm with UEFI.
    Arm64,
}

impl Architecture {
    /// The architecture with this number, if it is one that can be told apart here.
    pub fn from_number(number: u16) -> Option<Self> {
        match number {
            0 => Some(Self::Bios),
            6 | 15 => Some(Self::Efi32),
            // The registry swapped 7 and 9 in an erratum; firmware says either.
            7 | 9 | 16 => Some(Self::Efi64),
            10 | 18 => Some(Self::Arm32),
            11 | 19 => Some(Self::Arm64),
            _ => None,
        }
    }
}

/// Who asks for a boot file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BootClient {
    /// By what program.
    pub loader: Loader,
    /// On what machine, where it is known.
    pub architecture: Option<Architecture>,
}

/// Whom a file is for: the loader, and the machine if it is for one kind only.
pub(crate) type BootFor = (Loader, Option<Architecture>);

/// What may follow `BOOTFILE` in a key, and whom that file is for.
const BOOTFILE_SUFFIXES: &[(&str, BootFor)] = &[
    ("", (Loader::Pxe, None)),
    ("_BIOS", (Loader::Pxe, Some(Architecture::Bios))),
    ("_EFI32", (Loader::Pxe, Some(Architecture::Efi32))),
    ("_EFI64", (Loader::Pxe, Some(Architecture::Efi64))),
    ("_ARM32", (Loader::Pxe, Some(Architecture::Arm32))),
    ("_ARM64", (Loader::Pxe, Some(Architecture::Arm64))),
    ("_IPXE", (Loader::Ipxe, None)),
    ("_IPXE_BIOS", (Loader::Ipxe, Some(Architecture::Bios))),
    ("_IPXE_EFI32", (Loader::Ipxe, Some(Architecture::Efi32))),
    ("_IPXE_EFI64", (Loader::Ipxe, Some(Architecture::Efi64))),
    ("_IPXE_ARM32", (Loader::Ipxe, Some(Architecture::Arm32))),
    ("_IPXE_ARM64", (Loader::Ipxe, Some(Architecture::Arm64))),
    ("_HTTP", (Loader::Http, None)),
    ("_HTTP_EFI32", (Loader::Http, Some(Architecture::Efi32))),
    ("_HTTP_EFI64", (Loader::Http, Some(Architecture::Efi64))),
    ("_HTTP_ARM32", (Loader::Http, Some(Architecture::Arm32))),
    ("_HTTP_ARM64", (Loader::Http, Some(Architecture::Arm64))),
];

/// The boot files of a guest or a node.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BootFiles(BTreeMap<BootFor, Printable>);

impl BootFiles {
    /// Whether nothing is to be booted.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Every file, with what follows `BOOTFILE` in its key.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &Printable)> {
        BOOTFILE_SUFFIXES.iter().filter_map(|(suffix, whom)| Some((*suffix, self.0.get(whom)?)))
    }

    /// Whom the file is for whose key has the suffix that `is_meant`.
    pub(crate) fn whom(is_meant: impl Fn(&str) -> bool) -> Option<BootFor> {
        BOOTFILE_SUFFIXES.iter().find(|(suffix, _)| is_meant(suffix)).map(|(_, whom)| *whom)
    }

    /// Takes in the file for `whom`, in place of an earlier one.
    pub(crate) fn insert(&mut self, whom: BootFor, file: Printable) {
        self.0.insert(whom, file);
    }

    /// The file that fits `client` best: for its loader and machine, its loader, its machine, anybody.
    ///
    /// iPXE takes what is there for others, since it is in the firmware of virtual machines. UEFI HTTP Boot can do
    /// nothing with a file that is no URL.
    pub fn choose(&self, client: BootClient) -> Option<&Printable> {
        let BootClient { loader, architecture } = client;
        let own = |loader| self.0.get(&(loader, architecture)).or_else(|| self.0.get(&(loader, None)));
        own(loader).or_else(|| own(Loader::Pxe).filter(|file| loader != Loader::Http || file.is_http_url()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(names: &[(&str, &str)]) -> BootFiles {
        let mut files = BootFiles::default();
        for (suffix, file) in names {
            let whom = BootFiles::whom(|known| known == *suffix).unwrap();
            files.insert(whom, file.parse().unwrap());
        }
        files
    }

    #[test]
    fn the_closest_file_is_chosen() {
        let files = files(&[
            ("", "pxelinux.0"),
            ("_EFI64", "bootx64.efi"),
            ("_IPXE", "http://boot/script"),
            ("_IPXE_ARM64", "http://boot/arm"),
            ("_HTTP_EFI64", "http://boot/x64.efi"),
        ]);
        for (loader, number, expected) in [
            (Loader::Pxe, None, Some("pxelinux.0")),
            (Loader::Pxe, Some(0), Some("pxelinux.0")),
            (Loader::Pxe, Some(7), Some("bootx64.efi")),
            (Loader::Pxe, Some(9), Some("bootx64.efi")),
            (Loader::Pxe, Some(999), Some("pxelinux.0")),
            (Loader::Ipxe, Some(7), Some("http://boot/script")),
            (Loader::Ipxe, Some(11), Some("http://boot/arm")),
            (Loader::Http, Some(16), Some("http://boot/x64.efi")),
            (Loader::Http, Some(19), None),
        ] {
            let client = BootClient { loader, architecture: number.and_then(Architecture::from_number) };
            assert_eq!(files.choose(client).map(Printable::as_str), expected, "{loader:?} {number:?}");
        }
    }

    #[test]
    fn the_only_file_is_for_everybody_who_can_use_it() {
        let client = |loader| BootClient { loader, architecture: Some(Architecture::Efi64) };
        let path = files(&[("", "ipxe.efi")]);
        assert!(path.choose(client(Loader::Ipxe)).is_some());
        assert!(path.choose(client(Loader::Http)).is_none());
        assert!(files(&[("", "https://boot/x")]).choose(client(Loader::Http)).is_some());
        assert!(BootFiles::default().choose(client(Loader::Pxe)).is_none());
    }
}
