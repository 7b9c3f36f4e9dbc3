#!/bin/sh
# Installs what this machine lacks, from Debian's or Ubuntu's packages: for the tests, or of the kinds below that it is
# told. Asks nothing. Where it cannot be root, it says what to install, and fails. A program under target/tools/bin is taken
# out of its package, which is not installed: it has a service that would start, and what apt does here cannot keep it from that.
set -eu
cd "$(dirname "$0")/.."
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
test    ferm             target/tools/bin/ferm   rules in its format
test    perl             perl       runs ferm
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
test    prometheus       target/tools/bin/promtool   judges metrics, alerts and their tests
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
build   jq               jq         reads what cargo says of crates
build   gcc              cc         the linker
build   make             make       the way in
deb     dpkg-dev         dpkg-buildpackage   packs for Debian
deb     debhelper        dh         the same: what all packages do alike
deb     fakeroot         fakeroot   the same: files that belong to root
rpm     rpm              rpmbuild   packs for distributions with RPM
package lintian          lintian    what is not as Debian has it
package rpmlint          rpmlint    what is not as they have it
package iproute2         ip         namespaces and taps
package iptables         iptables   rules that divert packets to the daemon
package udhcpc           udhcpc     a client: busybox, DHCPv4
package systemd          /lib/systemd/systemd   starts, restarts and stops what is installed
package mmdebstrap       mmdebstrap a root directory with next to nothing in it
package debsums          debsums    whether files are those of the package
package logrotate        logrotate  takes its settings
package man-db           man        finds its manual pages
bench   dnsmasq-base     dnsmasq    a neighbour to compare with
bench   nftables         nft        filters of taps
bench   valgrind         valgrind   instructions, counted
'

main() {
    lacking=$(lacking "${@:-demo test}")
    [ -n "$lacking" ] || return 0
    log=$(mktemp)
    downloads=$(mktemp -d)
    trap 'rm -rf "$log" "$downloads"' EXIT
    to_install=$(echo "$lacking" | awk '$2 !~ "^target/" { printf "%s ", $1 }')
    as_root=$(way_to_root) && command -v apt-get >/dev/null || [ -z "$to_install" ] || refuse
    echo 'installing'
    echo "$lacking" | while read -r package _ purpose; do printf '    %-16s %s\n' "$package" "$purpose"; done
    install || {
        cat "$log" >&2
        exit 1
    }
}

# What is missing of some kinds: package, program, what it is for.
lacking() {
    echo "$tools" | while read -r kind package program purpose; do
        case " $* " in *" $kind "*) ;; *) continue ;; esac
        [ -z "$package" ] || command -v "$program" >/dev/null || echo "$package $program $purpose"
    done
}

way_to_root() {
    if [ "$(id -u)" = 0 ]; then return; fi
    sudo -n true 2>/dev/null && echo 'sudo -n'
}

refuse() {
    printf 'missing:\n%s\nto be installed as root, with the names that Debian has: apt-get install %s\n' "$lacking" "$to_install" >&2
    exit 1
}

install() {
    if [ -n "$to_install" ]; then
        # shellcheck disable=SC2086 # one word for each package
        apt update && apt install --yes --no-install-recommends $to_install || return
    fi
    echo "$lacking" | while read -r package program _; do
        case "$program" in target/*) unpack "$package" "$program" || return ;; esac
    done
}

apt() {
    # RUNLEVEL=1 keeps packages from starting services, but those that only systemd knows.
    $as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get -qq -o DPkg::Lock::Timeout=120 "$@" </dev/null >>"$log" 2>&1
}

# usage: unpack PACKAGE PROGRAM, which has the same name in the package. Package lists may be older than what the archive has.
unpack() {
    download "$1" || { apt update && download "$1"; } || return
    mkdir -p "$(dirname "$2")"
    dpkg-deb --fsys-tarfile "$downloads/$1"_*.deb | tar -xO --wildcards "./usr/*bin/$(basename "$2")" >"$2.new" || return
    chmod +x "$2.new"
    mv "$2.new" "$2"
}

download() {
    (cd "$downloads" && apt-get -qq download "$1") </dev/null >>"$log" 2>&1
}

main "$@"
