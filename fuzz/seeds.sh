#!/bin/sh
# Writes seeds into fuzz/corpus/: the frames of the captures in pcaps/, the text files of fuzz/fixtures/, what the
# tools of netfilter list, and lines as they go over the control socket.
#
#   fuzz/seeds.sh [sanitizer that the targets are built with, none unless told]
set -eu

cd "$(dirname "$0")/.."
export RUSTC_BOOTSTRAP=1
corpus=fuzz/corpus

mkdir -p $corpus/config $corpus/binding $corpus/control
cp config/nfdhcpd.conf $corpus/config/seed-shipped
cp fuzz/fixtures/nfdhcpd.conf $corpus/config/seed-fixture
for file in fuzz/fixtures/bindings/*; do
    cp "$file" "$corpus/binding/seed-${file##*/}"
done

mkdir -p $corpus/nic
cat >$corpus/nic/seed-bridged <<'EOF'
TAGS="web\ synnefo:network:0:protected"
NETWORK_NAME="net1"
NETWORK_TAGS="nfdhcpd private-filtered masq nfdhcpd:mtu:9000 nfdhcpd:routes:198.51.100.0/24@192.0.2.254"
NETWORK_SUBNET="192.0.2.0/24"
NETWORK_GATEWAY="192.0.2.1"
MAC=aa:00:00:c2:b2:13
IP=192.0.2.2
INTERFACE_INDEX=0
MODE=bridged
LINK=prv0
VLAN=
EOF
cat >$corpus/nic/seed-routed <<'EOF'
TAGS="synnefo:network:eth:limited"
NETWORK_TAGS="nfdhcpd ip-less-routed"
NETWORK_SUBNET="192.0.2.0/24"
NETWORK_GATEWAY="192.0.2.1"
NETWORK_SUBNET6="2001:db8::/64"
NETWORK_GATEWAY6="2001:db8::1"
MAC=aa:00:00:c2:b2:13
IP=192.0.2.2
INTERFACE_NAME=eth
MODE=routed
LINK=100
EOF

mkdir -p $corpus/listings
for file in tests/rules/installed/*; do
    cp "$file" "$corpus/listings/seed-${file##*/}"
done

number=0
while read -r line; do
    number=$((number + 1))
    printf '%s\n' "$line" >$corpus/control/seed-$number
done <<'EOF'
{"command":"show"}
{"command":"show","tap":"tap0"}
{"tap":{"tap":"tap0","state":"pending","packets":{"answered":1,"refused":2,"accepted":3,"send_failed":4}}}
{"node":{"version":"1","uptime_seconds":1,"counters":{"dhcpv4_ack":1}}}
{"error":{"kind":"unknown_tap","message":"none"}}
{"end":{}}
EOF

captures=$(find pcaps -name '*.pcap' -o -name '*.pcapng')
[ -n "$captures" ] || { echo "no captures" >&2; exit 1; }
# "seeds" is built like a target, and writes what is in each file that it is run on.
cargo fuzz run --sanitizer "${1:-none}" seeds $captures
