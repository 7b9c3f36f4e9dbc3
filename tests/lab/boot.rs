//! What guests are told besides their address: network boot, time, vendor options, and to leave IPv4 alone.

use std::net::Ipv4Addr;

use dhcproto::v4::{DhcpOption, MessageType, OptionCode};

use crate::harness::inside::need;
use crate::harness::requests::dhcpv4;
use crate::harness::{Config, Guest, Lab, soon, tests};

tests!(boot:
    udhcpc_is_told_what_to_boot,
    dhclient_is_told_time_and_vendor_options,
    firmware_gets_the_file_that_fits,
    a_guest_with_ipv6_leaves_ipv4,
    a_guest_without_ipv6_keeps_ipv4,
);

fn udhcpc_is_told_what_to_boot(lab: &mut Lab) {
    let guest = lab.guest(1);
    let keys = "TFTP_SERVER=192.0.2.69\nBOOTFILE=pxelinux.0\nNTP=192.0.2.123\nOPTION_252=text:http://wpad/wpad.dat\n";
    lab.bind(&guest, &format!("{}{keys}", guest.binding4()));
    lab.start_with(&Config::default().with("dhcp", "option_224", "hex:0a0b0c").with("dhcp", "ntp", "192.0.2.99"));
    guest.udhcpc("-O tftp -O bootfile -O ntpsrv -O wpad -O 224");
    guest.wait_for_address("192.0.2.11/24");
    let lease = guest.udhcpc_lease();
    for told in [
        "siaddr=192.0.2.69",
        "sname=192.0.2.69",
        "boot_file=pxelinux.0",
        "tftp=192.0.2.69",
        "bootfile=pxelinux.0",
        "ntpsrv=192.0.2.123",
        "wpad=http://wpad/wpad.dat",
        "opt224=0a0b0c",
    ] {
        assert!(lease.lines().any(|line| line == told), "{told} is not in\n{lease}");
    }
}

fn dhclient_is_told_time_and_vendor_options(lab: &mut Lab) {
    need("dhclient");
    let guest = lab.guest(1);
    lab.bind(&guest, &format!("{}BOOTFILE=boot.img\nOPTION_224=text:rack 7\n", guest.binding4()));
    lab.start_with(&Config::default().with("dhcp", "ntp", "192.0.2.123, 192.0.2.124").with(
        "dhcp",
        "next_server",
        "192.0.2.69",
    ));
    guest.sh("printf 'option rack code 224 = text;\nalso request rack, ntp-servers;\n' >/etc/dhcp/dhclient.conf");
    guest.sh("dhclient -4 -v -1 -lf /var/lib/dhcp/dhclient.leases eth0");
    let lease = guest.sh("cat /var/lib/dhcp/dhclient.leases");
    for told in ["option ntp-servers 192.0.2.123,192.0.2.124;", "option rack \"rack 7\";", "filename \"boot.img\";"] {
        assert!(lease.contains(told), "{told} is not in\n{lease}");
    }
}

fn firmware_gets_the_file_that_fits(lab: &mut Lab) {
    let guest = lab.guest(1);
    let keys = "NEXT_SERVER=192.0.2.69\nBOOTFILE=pxelinux.0\nBOOTFILE_EFI64=bootx64.efi\n\
                BOOTFILE_IPXE=http://boot/script\nBOOTFILE_HTTP=http://boot/x.efi\n";
    lab.bind(&guest, &format!("{}{keys}", guest.binding4()));
    lab.start();
    let efi64 = b"\x5d\x02\x00\x07";
    for (number, options, file, class) in [
        (1, &b""[..], "pxelinux.0", None),
        (2, efi64, "bootx64.efi", None),
        (3, b"\x4d\x04iPXE\x5d\x02\x00\x07", "http://boot/script", None),
        (4, b"\x3c\x21HTTPClient:Arch:00016:UNDI:003001", "http://boot/x.efi", Some(b"HTTPClient".to_vec())),
    ] {
        guest.send(&[discover(&guest, number, options)], 1);
        let offer = guest.wait_for_dhcpv4(file, |it| it.is_answer(MessageType::Offer) && it.message.xid() == number);
        let option = |code: u8| offer.message.opts().get(OptionCode::from(code)).cloned();
        assert_eq!(option(67), Some(DhcpOption::BootfileName(file.as_bytes().to_vec())));
        assert_eq!(option(60), class.map(DhcpOption::ClassIdentifier));
        assert_eq!(offer.message.siaddr(), Ipv4Addr::new(192, 0, 2, 69));
        assert_eq!(offer.message.fname(), Some([file.as_bytes(), b"\0"].concat().as_slice()));
    }
}

/// A DISCOVER that asks for options 60 and 67, and says this of itself.
fn discover(guest: &Guest, xid: u32, options: &[u8]) -> Vec<u8> {
    let mut message = vec![0; 236];
    message[..4].copy_from_slice(&[1, 1, 6, 0]);
    message[4..8].copy_from_slice(&xid.to_be_bytes());
    message[28..34].copy_from_slice(&guest.mac);
    message.extend(b"\x63\x82\x53\x63\x35\x01\x01\x37\x02\x3c\x43");
    message.extend(options);
    message.push(255);
    dhcpv4(guest.mac, &message)
}

fn mostly() -> Config {
    Config::default().with("dhcp", "v6only_wait", "1800").with("ipv6", "pref64", "64:ff9b::/96")
}

/// It sees the option in the OFFER, and asks for no address.
fn a_guest_with_ipv6_leaves_ipv4(lab: &mut Lab) {
    need("dhcpcd");
    let guest = lab.guest(1);
    lab.start_with(&mostly());
    guest.wait_for_address(&guest.eui64());
    let client = guest.spawn("dhcpcd", "dhcpcd -4 -A -B -d -o ipv6_only_preferred eth0");
    client.wait_for_log("IPv6-Only Preferred received (1800 seconds)");
    let messages = guest.dhcpv4();
    assert!(messages.iter().any(|it| it.is_answer(MessageType::Offer)), "{messages:?}");
    assert!(!messages.iter().any(|it| it.is(MessageType::Request)), "{messages:?}");
    assert!(!guest.addresses().contains("192.0.2."), "{}", guest.addresses());
    assert!(guest.routes().contains("default via fe80:"), "{}", guest.routes());
}

/// The same client and the same node, but it would have no network.
fn a_guest_without_ipv6_keeps_ipv4(lab: &mut Lab) {
    need("dhcpcd");
    let guest = lab.guest(1);
    lab.bind(&guest, &guest.binding4());
    lab.start_with(&mostly());
    let client = guest.spawn("dhcpcd", "dhcpcd -4 -A -B -d -o ipv6_only_preferred eth0");
    guest.wait_for_address("192.0.2.11/24");
    assert!(!client.log().contains("IPv6-Only Preferred received"), "{}", client.log());
    soon("a lease", || guest.routes().contains("default via 192.0.2.1").then_some(()));
}
