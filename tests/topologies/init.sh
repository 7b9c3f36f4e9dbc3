#!/bin/busybox sh
# shellcheck shell=dash
# The guest's init: the machine's own files, which it cannot change, under a layer that it can. Then the program that the
# kernel's command line ends with (after "--"), whose output goes to the second serial port, with its exit status at the
# end. TOPOLOGIES, from the command line as well, is where kernel.sh put the modules.
set -eu

main() {
    busybox mkdir -p /proc /sys /dev /machine /changes /root
    busybox mount -t proc proc /proc
    busybox --install -s /bin
    mount -t sysfs sysfs /sys
    mount -t devtmpfs devtmpfs /dev
    mount_root
    make_etc
    for folder in proc sys dev; do mount --move /$folder /root/$folder; done
    exec switch_root /root /bin/sh -c "$AFTERWARDS" "$@"
}

mount_root() {
    modprobe -a virtio_pci 9pnet_virtio 9p overlay
    mount -t 9p -o ro,trans=virtio,version=9p2000.L,cache=loose,msize=524288 machine /machine
    mount -t tmpfs tmpfs /changes
    mkdir /changes/upper /changes/work
    mount -t overlay -o lowerdir=/machine,upperdir=/changes/upper,workdir=/changes/work overlay /root
    mkdir -p /root/lib/modules
    mount --bind "/root/$TOPOLOGIES/lib/modules" /root/lib/modules
    # The kernel loads by itself what a rule or a new link needs. Busybox is whatever it is called.
    cp /bin/busybox /root/sbin/modprobe
}

# What the tools need of it, and no more: each test makes a copy of its own.
make_etc() {
    mkdir /changes/etc
    for file in alternatives dhcp group hosts iproute2 ld.so.cache nsswitch.conf passwd protocols services; do
        cp -a /root/etc/$file /changes/etc || true
    done
    mount --bind /changes/etc /root/etc
}

# As the first process it may not end before the machine does.
# shellcheck disable=SC2016 # for the other shell
AFTERWARDS='
    export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
    modprobe br_netfilter
    "$0" "$@" </dev/null >/dev/ttyS1 2>&1
    echo "status $?" >/dev/ttyS1
    echo b >/proc/sysrq-trigger'

main "$@"
