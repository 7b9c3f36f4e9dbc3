//! DHCP unique identifiers (RFC 8415 §11): the one that we use as server.

use uuid::Uuid;

use super::MacAddr;

/// The length of a DUID of type 4 in bytes.
pub const SERVER_DUID_LEN: usize = 18;

/// The shortest DUID in bytes: a type of two octets and one more (RFC 8415 §11.1, and RFC 9915 alike).
pub const MIN_LEN: usize = 3;

/// The longest DUID in bytes: a type of two octets and 128 more.
pub const MAX_LEN: usize = 130;

/// DUID-UUID (RFC 6355 §4).
const TYPE_UUID: [u8; 2] = [0, 4];

/// The namespace (RFC 9562 §5.5) that all our server DUIDs are hashed in.
///
/// It must never change. A guest keeps the server's DUID with its lease; on a node with another namespace, or after
/// an upgrade, it would take us for another server.
const NAMESPACE: Uuid = Uuid::from_u128(0xcf813557_eb87_4cd4_88c7_95a33d32d202);

/// The DUID of the server that the guest with this MAC talks to.
///
/// It is a hash of `guest` alone, so every node gives the guest the same answer: a guest may migrate. It is of type 4
/// and from our own namespace, so no guest makes the same for itself by chance.
pub fn server_duid(guest: MacAddr) -> [u8; SERVER_DUID_LEN] {
    let uuid = Uuid::new_v5(&NAMESPACE, &guest.octets());
    let mut duid = [0; SERVER_DUID_LEN];
    for (to, from) in duid.iter_mut().zip(TYPE_UUID.iter().chain(uuid.as_bytes())) {
        *to = *from;
    }
    duid
}

#[cfg(test)]
mod tests {
    use super::*;

    const GUEST: MacAddr = MacAddr::new([0xaa, 0, 0, 0, 0, 1]);

    #[test]
    fn never_changes() {
        let expected = [
            0x00, 0x04, 0xd3, 0xd8, 0x27, 0x31, 0x01, 0x26, 0x5d, 0xc3, 0xae, 0xcb, 0xa2, 0xc0, 0x94, 0xa6, 0xfa, 0x3e,
        ];
        assert_eq!(server_duid(GUEST), expected);
    }

    #[test]
    fn differs_between_guests() {
        let other = MacAddr::new([0xaa, 0, 0, 0, 0, 2]);
        assert_ne!(server_duid(GUEST), server_duid(other));
    }

    #[test]
    fn is_a_name_based_uuid() {
        let duid = server_duid(GUEST);
        let uuid = Uuid::from_slice(&duid[2..]).unwrap();
        assert_eq!(duid[..2], [0, 4]);
        assert_eq!(uuid.get_version_num(), 5);
    }
}
