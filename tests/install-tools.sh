#!/bin/sh
# Installs what this machine lacks, from Debian's or Ubuntu's packages: for the tests, or of the kinds below that it is
# told. Asks nothing. Where it cannot be root, it says what to install, and fails.
set -eu
PATH=$PATH:/usr/sbin:/sbin

# kind  package          program    what it is for
tools='
demo    iproute2         ip         namespaces, taps and bridges
demo    iptables         iptables   rules that divert packets to the daemon
demo    procps           sysctl     forwarding
demo    util-linux       unshare    a fresh network stack
demo    iputils-ping     ping       the gateway, asked by the guest
demo    udhcpc           udhcpc     a client: busybox, DHCPv4
demo    ndisc6           rdisc6     a client: router and neighbour solicitations
demo    gcc              cc         the linker
demo    make             make       the way in
test    isc-dhcp-client  dhclient   a client: DHCPv4 and DHCPv6
test    dhcpcd-base      dhcpcd     a client: DHCPv4 and DHCPv6
test    systemd          /lib/systemd/systemd-networkd   a client: DHCPv4 and DHCPv6
test    systemd          /lib/systemd/systemd   runs the units of packaging
test    logrotate        logrotate  rotates the log files
test    wide-dhcpv6-client dhcp6c   a client: DHCPv6
test    nftables         nft        the limits that "nfdhcpd rules" prints, the filters of snf-network
test    ferm             ferm       rules in its format
test    bind9            named      the name server that names are told to
test    bind9-dnsutils   nsupdate   what tells it
test    krb5-kdc         krb5kdc    tickets for it
test    krb5-admin-server kadmin.local   the keys of those tickets
test    kstart           k5start    what fetches them
test    tcpdump          tcpdump    frames in words, when a test fails
test    tshark           tshark     an independent decoder of every expected reply
test    qemu-system-x86  qemu-system-x86_64   runs its network scripts
test    python3          /usr/bin/python3   runs the hook for libvirt
test    ruby             ruby       runs the driver for OpenNebula
test    prometheus       promtool   judges metrics, alerts and their tests
test    shellcheck       shellcheck   a second opinion on shell scripts
test    man-db           man        the manual pages, formatted
test    mandoc           mandoc     a second opinion on them
guest   qemu-system-x86  qemu-system-x86_64   a machine with the kernel of Debian
guest   iproute2         ip         namespaces, taps and bridges
guest   iptables         iptables   rules that divert packets to the daemon
guest   nftables         nft        the same, and limits
guest   procps           sysctl     hooks of bridges, forwarding
guest   systemd          /lib/systemd/systemd-networkd   links of a node
guest   tcpdump          tcpdump    frames with their tags
guest   udhcpc           udhcpc     a client: busybox, DHCPv4
guest   ndisc6           rdisc6     a client: router and neighbour solicitations
guest   iputils-ping     ping       the way across the wire
package dpkg-dev         dpkg-buildpackage   packs for Debian
package debhelper        dh         the same: what all packages do alike
package fakeroot         fakeroot   the same: files that belong to root
package lintian          lintian    what is not as Debian has it
package rpm              rpmbuild   packs for distributions with RPM
package rpmlint          rpmlint    what is not as they have it
package gcc              cc         the linker
package make             make       the way in
package iproute2         ip         namespaces and taps
package iptables         iptables   rules that divert packets to the daemon
package udhcpc           udhcpc     a client: busybox, DHCPv4
package systemd          /lib/systemd/systemd   starts, restarts and stops what is installed
package debsums          debsums    whether files are those of the package
bench   dnsmasq-base     dnsmasq    a neighbour to compare with
bench   nftables         nft        filters of taps
bench   valgrind         valgrind   instructions, counted
'

# What is missing: package, then what it is for.
lacking=$(echo "$tools" | while read -r kind package program purpose; do
    case " ${*:-demo test} " in *" $kind "*) ;; *) continue ;; esac
    [ -z "$package" ] || command -v "$program" >/dev/null || printf '    %-16s %s\n' "$package" "$purpose"
done)
[ -n "$lacking" ] || exit 0
missing=$(echo "$lacking" | awk '{ printf "%s ", $1 }')

if [ "$(id -u)" = 0 ]; then
    as_root=
elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
    as_root='sudo -n'
else
    printf 'missing:\n%s\nto be installed as root: apt-get install %s\n' "$lacking" "$missing" >&2
    exit 1
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT
apt() {
    # RUNLEVEL=1 keeps packages from starting services.
    $as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get -qq -o DPkg::Lock::Timeout=120 "$@" </dev/null >>"$log" 2>&1
}
printf 'installing\n%s\n' "$lacking"
# shellcheck disable=SC2086 # one word for each package
if ! apt update || ! apt install --yes --no-install-recommends $missing; then
    cat "$log" >&2
    exit 1
fi
