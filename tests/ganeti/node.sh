#!/bin/sh
# The first process of a node, in namespaces of its own: lays a layer over the base, and waits.
# usage: node.sh WORK NUMBER
set -eu
work=$1 number=$2
root=$work/node$number

main() {
    mkdir -p "$root" "$root.up" "$root.work"
    mount -t overlay overlay -o "lowerdir=$work/base.up:/,upperdir=$root.up,workdir=$root.work" "$root"
    mount_devices
    for folder in run tmp; do mount -t tmpfs tmpfs "$root/$folder"; done
    mkdir "$root/run/lock"
    name_it
    rm -rf "$root/root/.ssh" "$root/root/.bashrc" "$root/root/.profile"
    touch "$root.ready"
    # A shell that waits takes care of processes whose parents have gone.
    # shellcheck disable=SC2016 # for the other shell
    exec chroot "$root" /bin/sh -c 'while :; do sleep 3600 & wait $!; done'
}

mount_devices() {
    mount -t proc proc "$root/proc"
    mount -t sysfs sysfs "$root/sys"
    mount -t tmpfs tmpfs "$root/dev"
    for device in null zero full random urandom tty; do cp -a /dev/$device "$root/dev"; done
    mkdir "$root/dev/net" "$root/dev/pts" "$root/dev/shm"
    mknod "$root/dev/net/tun" c 10 200
    mount -t devpts -o newinstance devpts "$root/dev/pts"
    ln -s pts/ptmx "$root/dev/ptmx"
    ln -s /proc/self/fd "$root/dev/fd"
}

name_it() {
    hostname "node$number.example.com"
    hostname >"$root/etc/hostname"
}

main
