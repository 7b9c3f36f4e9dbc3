#!/bin/bash
# A guest gets its network: a node, a tap, a binding file, the daemon, and a guest that asks.
#
# usage: examples/demo.sh PATH-OF-NFDHCPD
#
# All of it is in namespaces that end with this script. Neither root nor anything of this machine's network is touched.
set -Eeuo pipefail
PATH=$PATH:/usr/sbin:/sbin

node=/run/node
mac=aa:00:00:00:00:01

main() {
    local daemon as_root=()
    daemon=$(realpath "${1:?usage: examples/demo.sh PATH-OF-NFDHCPD}")
    [ "$(id -u)" = 0 ] || as_root=(--user --map-root-user)
    local namespaces=("${as_root[@]}" --net --mount --propagation private --pid --fork --kill-child --mount-proc)
    if ! unshare "${namespaces[@]}" true; then
        echo 'This needs namespaces: root, or a kernel that lets users make them (kernel.apparmor_restrict_unprivileged_userns=0 on Ubuntu).' >&2
        exit 1
    fi
    exec unshare "${namespaces[@]}" "$0" --inside "$daemon"
}

inside() {
    step='preparing the node'
    trap 'fail' ERR
    prepare_node
    prepare_guest
    write_files
    step='starting the daemon'
    "$1" -c $node/nfdhcpd.conf -f -d >$node/log 2>&1 &
    daemon=$!
    title 'What the node has'
    show_node
    ask_dhcpv4
    ask_router
    show_guest
    ping_gateway
    stop_daemon
    title 'What the daemon says'
    cat $node/log
    printf '\nDone: the guest has its network.\n'
}

prepare_node() {
    mount -t sysfs sysfs /sys
    mount -t tmpfs tmpfs /run
    mkdir -p $node/bindings
    ip link set lo up
    sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
    ip netns add vm
    ip link add tap0 type veth peer name eth0 netns vm address $mac
    ip link set tap0 up
    iptables -t mangle -A PREROUTING -i tap+ -p udp --dport 67 -j NFQUEUE --queue-num 42
    ip6tables -t mangle -A PREROUTING -i tap+ -p icmpv6 --icmpv6-type router-solicitation -j NFQUEUE --queue-num 43
    ip6tables -t mangle -A PREROUTING -i tap+ -p icmpv6 --icmpv6-type neighbour-solicitation -j NFQUEUE --queue-num 44
    ip6tables -t mangle -A PREROUTING -i tap+ -p udp --dport 547 -j NFQUEUE --queue-num 45
}

# The guest's own client calls this script with what it was told.
prepare_guest() {
    cat >$node/udhcpc-script <<'SCRIPT'
#!/bin/sh
[ "$1" = bound ] || exit 0
echo "told: address $ip/$mask, router $router, name servers $dns, domain $domain, host name $hostname, lease $lease s"
ip address add "$ip/$mask" dev "$interface"
ip route add default via "$router" dev "$interface"
SCRIPT
    chmod +x $node/udhcpc-script
}

write_files() {
    cat >$node/nfdhcpd.conf <<CONF
[general]
datapath = $node/bindings

[dhcp]
dhcp_queue = 42
server_on_link = yes
nameservers = 192.0.2.53, 198.51.100.53
domain = example.com

[ipv6]
rs_queue = 43
ns_queue = 44
dhcpv6_queue = 45
nameservers = 2001:db8::53
domains = example.com
CONF
    cat >$node/bindings/tap0 <<BINDING
MAC=$mac
HOSTNAME=guest1.example.com
INDEV=tap0
IP=192.0.2.10
SUBNET=192.0.2.0/24
GATEWAY=192.0.2.1
SUBNET6=2001:db8:1::/64
GATEWAY6=2001:db8:1::1
EUI64=2001:db8:1::a800:ff:fe00:1
BINDING
}

show_node() {
    echo '- the tap tap0, without an address of the guest'"'"'s network; four iptables rules that divert to NFQUEUE'
    echo '- one binding file, named after the tap:'
    sed 's/^/      /' $node/bindings/tap0
}

ask_dhcpv4() {
    step='asking by DHCPv4'
    title 'The guest asks by DHCPv4 (udhcpc)'
    guest ip link set lo up
    guest ip link set eth0 up
    guest udhcpc -f -q -n -t 10 -T 1 -i eth0 -s $node/udhcpc-script 2>&1
}

ask_router() {
    step='asking for a router'
    title 'The guest asks for a router (rdisc6); its kernel does so too and configures itself'
    wait_for guest_has 'scope link'
    guest rdisc6 -1 -r 5 eth0
    step='waiting for an IPv6 address without a duplicate'
    wait_for guest_has 'scope global.* mngtmpaddr\|scope global dynamic'
}

show_guest() {
    title 'What the guest has now'
    guest ip -brief address show dev eth0
    guest ip -4 route
    guest ip -6 route
}

# The daemon needs no address on the node. Somebody has to answer a ping, though.
ping_gateway() {
    step='pinging the gateway'
    title 'The guest pings its gateway (for this alone the node gets the gateway'"'"'s address)'
    ip address add 192.0.2.1/32 dev tap0
    ip route add 192.0.2.10/32 dev tap0
    guest ping -c 1 -W 5 192.0.2.1
    guest ping -c 1 -W 5 "$(guest ip -6 route show default | grep -o 'fe80[0-9a-f:]*' | head -n 1)%eth0"
}

stop_daemon() {
    step='stopping the daemon'
    kill -TERM $daemon
    wait $daemon
}

guest() {
    ip netns exec vm "$@"
}

# An address of this kind that has passed duplicate address detection.
guest_has() {
    guest ip -6 -o address show dev eth0 | grep -v tentative | grep -q "$1"
}

wait_for() {
    local tries=150
    until "$@"; do
        tries=$((tries - 1))
        [ $tries -gt 0 ] && kill -0 $daemon 2>/dev/null || return 1
        sleep 0.1
    done
}

title() {
    printf '\n== %s ==\n' "$1"
}

fail() {
    trap - ERR
    printf '\nFailed: %s.\n' "$step" >&2
    [ ! -s $node/log ] || sed 's/^/nfdhcpd: /' $node/log >&2
    exit 1
}

case ${1:-} in
--inside) inside "$2" ;;
*) main "$@" ;;
esac
