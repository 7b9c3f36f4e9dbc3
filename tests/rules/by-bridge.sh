#!/bin/sh
# What guests ask goes to nfdhcpd, by the rules of iptables. Made by "nfdhcpd rules --format iptables".
# Load:       sh THIS-FILE as root (or pipe it into sh); as often as you like, it replaces itself.
#             NFQUEUE rules that were loaded otherwise stay: remove those.
# Remove:     iptables -t mangle -D PREROUTING -j nfdhcpd; iptables -t mangle -F nfdhcpd; iptables -t mangle -X nfdhcpd
#             the same with ip6tables
#             nft delete table inet nfdhcpd; nft delete table bridge nfdhcpd
set -eu

# No limits, and none left of earlier ones.
for family in inet bridge; do
    nft delete table $family nfdhcpd 2>/dev/null || true
done

iptables-restore --wait --noflush <<'END'
*mangle
:nfdhcpd - [0:0]
-A nfdhcpd -i br0 -p udp --dport 67 -j NFQUEUE --queue-num 42 --queue-bypass
-A nfdhcpd -i br1 -p udp --dport 67 -j NFQUEUE --queue-num 42 --queue-bypass
COMMIT
END
iptables --wait -t mangle -C PREROUTING -j nfdhcpd 2>/dev/null ||
    iptables --wait -t mangle -A PREROUTING -j nfdhcpd

ip6tables-restore --wait --noflush <<'END'
*mangle
:nfdhcpd - [0:0]
-A nfdhcpd -i br0 -p icmpv6 --icmpv6-type router-solicitation -j NFQUEUE --queue-num 43 --queue-bypass
-A nfdhcpd -i br1 -p icmpv6 --icmpv6-type router-solicitation -j NFQUEUE --queue-num 43 --queue-bypass
-A nfdhcpd -i br0 -p icmpv6 --icmpv6-type neighbour-solicitation -j NFQUEUE --queue-num 44 --queue-bypass
-A nfdhcpd -i br1 -p icmpv6 --icmpv6-type neighbour-solicitation -j NFQUEUE --queue-num 44 --queue-bypass
-A nfdhcpd -i br0 -p udp --dport 547 -j NFQUEUE --queue-num 45 --queue-bypass
-A nfdhcpd -i br1 -p udp --dport 547 -j NFQUEUE --queue-num 45 --queue-bypass
COMMIT
END
ip6tables --wait -t mangle -C PREROUTING -j nfdhcpd 2>/dev/null ||
    ip6tables --wait -t mangle -A PREROUTING -j nfdhcpd
