//! Network boot: what each kind of client is told, and where.

use super::*;
use crate::binding::parse;

const IPXE: &[u8] = b"\x4d\x04iPXE";
const EFI64: &[u8] = b"\x5d\x02\x00\x07";
const HTTP_EFI64: &[u8] = b"\x3c\x21HTTPClient:Arch:00016:UNDI:003001\x5d\x02\x00\x10";
const SERVERS: &str = "NEXT_SERVER=192.0.2.69\nTFTP_SERVER=tftp.example.com\n";

/// A guest with these keys besides the usual ones.
fn lab(keys: &str) -> Lab {
    let usual = "MAC=aa:00:00:00:00:01\nHOSTNAME=vm1\nIP=192.0.2.10\nSUBNET=192.0.2.0/24\nGATEWAY=192.0.2.1\n";
    let parsed = parse::parse("tap0".as_ref(), format!("{usual}{keys}").as_bytes()).unwrap();
    Lab { binding: parsed.binding, ..Lab::new() }
}

/// A DISCOVER that asks for `list`, and says of itself what `more` says.
fn discover(list: &[u8], more: &[u8]) -> Vec<u8> {
    [DISCOVER, &[55, u8::try_from(list.len()).unwrap()], list, more].concat()
}

impl Sent {
    /// The value of an option of the options field.
    fn value(&self, code: u8) -> Option<Vec<u8>> {
        let mut rest = &self.bytes[240..];
        while let [found, len, tail @ ..] = rest
            && *found != 255
        {
            let (value, tail) = tail.split_at(usize::from(*len));
            if *found == code {
                return Some(value.to_vec());
            }
            rest = tail;
        }
        None
    }

    fn text(&self, code: u8) -> Option<String> {
        self.value(code).map(|value| String::from_utf8(value).unwrap())
    }

    /// A field up to its first zero.
    fn field(&self, range: std::ops::Range<usize>) -> String {
        let name = self.bytes[range].split(|byte| *byte == 0).next().unwrap();
        String::from_utf8(name.to_vec()).unwrap()
    }

    fn sname(&self) -> String {
        self.field(44..108)
    }

    fn file(&self) -> String {
        self.field(108..236)
    }
}

#[test]
fn each_client_gets_the_file_that_fits() {
    let lab = lab("BOOTFILE=pxelinux.0\nBOOTFILE_EFI64=bootx64.efi\nBOOTFILE_IPXE=http://boot/script\n\
         BOOTFILE_IPXE_ARM64=http://boot/arm\nBOOTFILE_HTTP_EFI64=http://boot/x64.efi\n");
    let table: &[(&[u8], &str)] = &[
        (b"", "pxelinux.0"),
        (EFI64, "bootx64.efi"),
        (b"\x5d\x04\x00\x63\x00\x07", "bootx64.efi"),
        (b"\x5d\x01\x07", "pxelinux.0"),
        (b"\x3c\x20PXEClient:Arch:00007:UNDI:003016", "bootx64.efi"),
        (IPXE, "http://boot/script"),
        (b"\x4d\x05\x04iPXE", "http://boot/script"),
        (b"\x4d\x03foo\xaf\x03\x21\x01\x01", "http://boot/script"),
        (b"\x4d\x04iPXE\x5d\x02\x00\x0b", "http://boot/arm"),
        (HTTP_EFI64, "http://boot/x64.efi"),
        // iPXE says of itself what its machine would be as firmware.
        (b"\x3c\x0aHTTPClient\x4d\x04iPXE", "http://boot/script"),
        (b"\x3c\x0aHTTPClient\x5d\x02\x00\x13", ""),
    ];
    for (says, expected) in table {
        let sent = lab.ask(&discover(&[67], says)).unwrap();
        assert_eq!(sent.text(67).unwrap_or_default(), *expected, "{says:?}");
        assert_eq!(sent.file(), *expected, "{says:?}");
    }
}

#[test]
fn the_header_says_where_and_what_in_every_answer_but_nak() {
    let lab = lab(&format!("{SERVERS}BOOTFILE=pxelinux.0\n"));
    let table: &[(&[u8], Reason)] = &[
        (&[53, 1, 1, 55, 0], Reason::Offered),
        (&[53, 1, 3, 50, 4, 192, 0, 2, 10, 55, 0], Reason::Acked),
        (&[53, 1, 8, 55, 0], Reason::Informed),
        (&[55, 0], Reason::BootpReplied),
        (&[53, 1, 3, 50, 4, 192, 0, 2, 11, 55, 0], Reason::Naked),
    ];
    for (options, reason) in table {
        let sent = lab.ask(options).unwrap();
        assert_eq!(sent.reason, *reason);
        let said = (sent.message.siaddr(), sent.sname(), sent.file());
        let expected = match reason {
            Reason::Naked => (Ipv4Addr::UNSPECIFIED, String::new(), String::new()),
            _ => (Ipv4Addr::new(192, 0, 2, 69), "tftp.example.com".to_owned(), "pxelinux.0".to_owned()),
        };
        assert_eq!(said, expected, "{reason:?}");
        assert_eq!((sent.text(66), sent.text(67)), (None, None), "{reason:?}: nobody asked");
    }
}

#[test]
fn siaddr_is_the_next_server_else_the_tftp_server() {
    type Node<'a> = (Option<[u8; 4]>, Option<&'a str>);
    let siaddr = |keys: &str, (next, tftp): Node<'_>| {
        let mut lab = lab(keys);
        let dhcp = lab.config.dhcp.as_mut().unwrap();
        dhcp.next_server = next.map(Ipv4Addr::from);
        dhcp.tftp_server = tftp.map(|name| name.parse().unwrap());
        lab.ask(DISCOVER).unwrap().message.siaddr().octets()
    };
    let (next, address, name) = (Some([192, 0, 2, 70]), Some("192.0.2.71"), Some("tftp.example.com"));
    for (keys, nodes, expected) in [
        ("", (None, None), [0, 0, 0, 0]),
        ("", (None, name), [0, 0, 0, 0]),
        ("", (None, address), [192, 0, 2, 71]),
        ("", (next, address), [192, 0, 2, 70]),
        ("TFTP_SERVER=192.0.2.72\n", (None, None), [192, 0, 2, 72]),
        // The guest's own server, whatever the node's are.
        ("TFTP_SERVER=192.0.2.72\n", (next, address), [192, 0, 2, 72]),
        ("TFTP_SERVER=own.example.com\n", (None, address), [0, 0, 0, 0]),
        ("TFTP_SERVER=192.0.2.72\nNEXT_SERVER=192.0.2.73\n", (next, None), [192, 0, 2, 73]),
    ] {
        assert_eq!(siaddr(keys, nodes), expected, "{keys} {nodes:?}");
    }
}

#[test]
fn the_files_of_a_guest_take_the_place_of_all_of_the_nodes() {
    let nodes = lab("BOOTFILE=node.0\nBOOTFILE_IPXE=http://node/script\n").binding.settings.bootfiles.clone();
    let mut lab = lab("BOOTFILE_EFI64=own.efi\n");
    lab.config.dhcp.as_mut().unwrap().bootfiles = nodes;
    assert_eq!(lab.ask(&discover(&[67], EFI64)).unwrap().file(), "own.efi");
    assert_eq!(lab.ask(&discover(&[67], IPXE)).unwrap().file(), "");
    lab.binding.settings.bootfiles = Default::default();
    assert_eq!(lab.ask(&discover(&[67], EFI64)).unwrap().file(), "node.0");
    assert_eq!(lab.ask(&discover(&[67], IPXE)).unwrap().file(), "http://node/script");
}

#[test]
fn http_clients_are_told_so_asked_or_not() {
    let lab_of = |keys: &str| lab(&format!("BOOTFILE=pxelinux.0\nBOOTFILE_HTTP=http://boot/x.efi\n{keys}"));
    let class = |lab: &Lab, message: &[u8]| lab.ask(message).unwrap().text(60);
    let http = Some("HTTPClient".to_owned());
    let usual = lab_of("");
    assert_eq!(class(&usual, &discover(&[60, 67], HTTP_EFI64)), http);
    assert_eq!(class(&usual, &discover(&[67], HTTP_EFI64)), http);
    assert_eq!(class(&usual, &[DISCOVER, HTTP_EFI64].concat()), http);
    assert_eq!(class(&usual, &discover(&[60, 67], EFI64)), None);
    assert_eq!(class(&usual, DISCOVER), None);
    // BOOTP has no option 60.
    assert_eq!(class(&usual, HTTP_EFI64), None);
    // What the operator says under that number comes first, and is for everybody.
    let own = lab_of("OPTION_60=text:HTTPClient:own\n");
    let told = Some("HTTPClient:own".to_owned());
    assert_eq!(class(&own, &discover(&[67], HTTP_EFI64)), told);
    assert_eq!(class(&own, &discover(&[60], EFI64)), told);
    assert_eq!(class(&own, &discover(&[67], EFI64)), None);
    assert_eq!(class(&own, &[67, 0]), None, "in BOOTP");
    // A file that is no URL is no HTTP boot.
    let path = lab("BOOTFILE_HTTP=x.efi\n").ask(&discover(&[67], HTTP_EFI64)).unwrap();
    assert_eq!((path.text(60), path.text(67)), (None, Some("x.efi".to_owned())));
}

#[test]
fn a_long_file_is_said_in_the_option_alone() {
    let lab_of = |len: usize| lab(&format!("BOOTFILE={}\nTFTP_SERVER={}\n", "f".repeat(len), "s".repeat(len / 2)));
    let sent = lab_of(127).ask(&discover(&[66, 67], b"")).unwrap();
    assert_eq!((sent.file().len(), sent.sname().len()), (127, 63));
    let sent = lab_of(128).ask(&discover(&[66, 67], b"")).unwrap();
    assert_eq!((sent.file().len(), sent.sname().len()), (0, 0));
    assert_eq!((sent.text(67).unwrap().len(), sent.text(66).unwrap().len()), (128, 64));
    assert_eq!(lab_of(128).ask(&discover(&[], b"")).unwrap().text(67), None, "not asked for");
}

#[test]
fn what_an_overloaded_field_cannot_say_is_an_option() {
    let lab = lab(&format!("{SERVERS}BOOTFILE=pxelinux.0\nOPTION_224=hex:{}\n", "0a".repeat(290)));
    let sent = lab.ask(&discover(&[224], b"")).unwrap();
    assert_eq!(sent.value(52), Some(vec![1]));
    assert_eq!((sent.text(66).unwrap(), sent.text(67).unwrap()), ("tftp.example.com".into(), "pxelinux.0".into()));
    assert_eq!((sent.sname(), sent.omitted), ("tftp.example.com".into(), 0));
    // With room there is no need.
    let sent = lab.ask(&[&discover(&[224], b""), &[57, 2, 5, 220][..]].concat()).unwrap();
    assert_eq!((sent.value(52), sent.text(67), sent.file()), (None, None, "pxelinux.0".into()));
}

#[test]
fn options_by_number_say_the_fields_as_well() {
    let lab = lab(&format!("{SERVERS}BOOTFILE=pxelinux.0\nOPTION_66=text:other\nOPTION_67=text:other.0\n"));
    let sent = lab.ask(&discover(&[66, 67], b"")).unwrap();
    assert_eq!((sent.text(66).unwrap(), sent.text(67).unwrap()), ("other".into(), "other.0".into()));
    assert_eq!((sent.sname(), sent.file()), ("other".into(), "other.0".into()));
}

#[test]
fn of_several_files_the_largest_counts() {
    let fillers: String = (224..=228).map(|code| format!("OPTION_{code}=hex:{}\n", "0a".repeat(230))).collect();
    let answers = |file: &str| {
        let lab = lab(&format!("{fillers}BOOTFILE=x\nBOOTFILE_ARM64={file}\n"));
        Answers::new(&lab.binding, &lab.config).map(|_| ())
    };
    assert_eq!(answers("y"), Ok(()));
    let error = answers(&"y".repeat(255)).unwrap_err();
    assert_eq!((error.key.as_deref(), error.line), (Some("BOOTFILE_ARM64"), Some(12)), "{error}");
}
