#!/bin/sh
# What all nodes have: this machine's files below, and above them, in memory, Ganeti with what it needs. Packages are
# downloaded with this machine's network, and installed without any. The last line of a failure says what is missing.
# usage: base.sh WORK CACHE, two folders: the layer will be in WORK/base.up; packages are kept in CACHE.
set -eu
work=$1 cache=$2
base=$work/base

packages='ganeti openssh-server iproute2 iptables nftables iputils-ping procps qemu-system-x86'
options='--yes --no-install-recommends -o Dir::Cache::Archives=/srv/debs -o APT::Keep-Downloaded-Packages=true'

main() {
    mount_base
    # shellcheck disable=SC2086 # one word for each package and option
    in_base apt-get $options --download-only install $packages >"$work/apt.log" 2>&1 || {
        in_base apt-get update
        in_base apt-get $options --download-only install $packages
    } >>"$work/apt.log" 2>&1 || give_up 'cannot be downloaded'
    # shellcheck disable=SC2086
    in_base unshare --net apt-get $options --no-download install $packages >>"$work/apt.log" 2>&1 || give_up 'cannot be installed'
    rm "$base/usr/sbin/policy-rc.d"
    umount --recursive --lazy "$base"
}

mount_base() {
    mkdir -p "$base.up" "$base.work" "$base" "$cache/partial"
    mount -t overlay overlay -o "lowerdir=/,upperdir=$base.up,workdir=$base.work" "$base"
    mount -t proc proc "$base/proc"
    mount -t tmpfs tmpfs "$base/dev"
    for device in null zero full random urandom tty; do cp -a /dev/$device "$base/dev"; done
    mount -t tmpfs tmpfs "$base/tmp"
    mkdir -p "$base/srv/debs"
    mount --bind "$cache" "$base/srv/debs"
    # They may be mounts of their own, or links to such.
    for file in resolv.conf hosts; do
        cat /etc/$file >"$work/$file"
        rm -f "$base/etc/$file"
        cp "$work/$file" "$base/etc/$file"
    done
    # No service is started here.
    printf '#!/bin/sh\nexit 101\n' >"$base/usr/sbin/policy-rc.d"
    chmod +x "$base/usr/sbin/policy-rc.d"
}

in_base() {
    DEBIAN_FRONTEND=noninteractive PATH=/usr/sbin:/usr/bin:/sbin:/bin chroot "$base" "$@" </dev/null
}

give_up() {
    tail -n 20 "$work/apt.log"
    echo "packages for a node $1"
    exit 1
}

main
