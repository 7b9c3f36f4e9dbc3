#!/bin/sh
# What guests ask goes to nfdhcpd, by the rules of iptables. Made by "nfdhcpd rules --format iptables".
# Load:       sh THIS-FILE as root (or pipe it into sh); as often as you like, it replaces itself.
#             NFQUEUE rules that were loaded otherwise stay: remove those.
# Remove:     iptables -t mangle -D PREROUTING -j nfdhcpd; iptables -t mangle -F nfdhcpd; iptables -t mangle -X nfdhcpd
#             the same with ip6tables
#             nft delete table inet nfdhcpd; nft delete table bridge nfdhcpd
# Who floods: nft list table inet nfdhcpd (or bridge): the counters are packets dropped over the limit
set -eu

# iptables cannot keep a rate for each interface: this is for nft.
nft -f - <<'END'

table bridge nfdhcpd
delete table bridge nfdhcpd
table bridge nfdhcpd {
	set dhcp_rate { type ifname; size 65536; flags dynamic,timeout; timeout 10m; }
	set rs_rate { type ifname; size 65536; flags dynamic,timeout; timeout 10m; }
	set ns_rate { type ifname; size 65536; flags dynamic,timeout; timeout 10m; }
	set dhcpv6_rate { type ifname; size 65536; flags dynamic,timeout; timeout 10m; }
	chain limit_taps {
		type filter hook prerouting priority -300; policy accept;
		iifname "tap*" goto limit_packets
	}
	chain limit_packets {
		ether type ip udp dport 67 update @dhcp_rate { iifname limit rate over 10/second burst 20 packets counter } drop
		ether type ip6 icmpv6 type nd-router-solicit update @rs_rate { iifname limit rate over 10/second burst 20 packets counter } drop
		ether type ip6 icmpv6 type nd-neighbor-solicit update @ns_rate { iifname limit rate over 10/second burst 20 packets counter } drop
		ether type ip6 udp dport 547 update @dhcpv6_rate { iifname limit rate over 10/second burst 20 packets counter } drop
	}
}
END

iptables-restore --wait --noflush <<'END'
*mangle
:nfdhcpd - [0:0]
-A nfdhcpd -m physdev --physdev-in tap+ -p udp --dport 67 -j NFQUEUE --queue-num 42
COMMIT
END
iptables --wait -t mangle -C PREROUTING -j nfdhcpd 2>/dev/null ||
    iptables --wait -t mangle -A PREROUTING -j nfdhcpd

ip6tables-restore --wait --noflush <<'END'
*mangle
:nfdhcpd - [0:0]
-A nfdhcpd -m physdev --physdev-in tap+ -p icmpv6 --icmpv6-type router-solicitation -j NFQUEUE --queue-num 43
-A nfdhcpd -m physdev --physdev-in tap+ -p icmpv6 --icmpv6-type neighbour-solicitation -j NFQUEUE --queue-num 44 --queue-bypass
-A nfdhcpd -m physdev --physdev-in tap+ -p udp --dport 547 -j NFQUEUE --queue-num 45
COMMIT
END
ip6tables --wait -t mangle -C PREROUTING -j nfdhcpd 2>/dev/null ||
    ip6tables --wait -t mangle -A PREROUTING -j nfdhcpd
