#!/bin/sh
# A machine of this one's files, with a layer in memory over them: systemd as its first process, in namespaces and in a control
# group of its own, without any service of this machine's. It sees the network of whoever calls it.
# usage: machine.sh GROUP ROOT PACKAGES
set -eu
group=$1 root=$2 packages=$3

if [ "${4:-}" != inside ]; then
    echo 0 >"$group/cgroup.procs"
    exec unshare --pid --fork --kill-child --mount --propagation private --cgroup --uts --ipc "$0" "$@" inside
fi

main() {
    mkdir -p "$root" "$root.up" "$root.work"
    mount -t overlay overlay -o "lowerdir=/,upperdir=$root.up,workdir=$root.work" "$root"
    mount_devices
    forget_this_machine
    mkdir -p "$root/srv/packages"
    mount --bind "$packages" "$root/srv/packages"
    # "container" keeps it from what is the machine's: its clock, its name, its limits.
    exec chroot "$root" env -i container=lab PATH=/usr/sbin:/usr/bin:/sbin:/bin \
        setpriv --bounding-set=-sys_time,-sys_module,-sys_boot \
        /lib/systemd/systemd --unit=basic.target --log-target=console --show-status=no
}

# What it may not change, it does not see or cannot write to.
mount_devices() {
    mount -t proc proc "$root/proc"
    mount -o bind "$root/proc/sys" "$root/proc/sys"
    mount -o remount,bind,ro "$root/proc/sys"
    mount -t sysfs -o ro sysfs "$root/sys"
    mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
    for folder in dev run; do mount -t tmpfs -o mode=755 tmpfs "$root/$folder"; done
    mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
    for device in null zero full random urandom tty; do cp -a /dev/$device "$root/dev"; done
    mkdir "$root/dev/shm" "$root/dev/pts" "$root/run/lock"
    mount -t devpts -o newinstance,ptmxmode=666 devpts "$root/dev/pts"
    ln -s pts/ptmx "$root/dev/ptmx"
    ln -s /proc/self/fd "$root/dev/fd"
}

# What was enabled here, what dpkg was told to leave out, and what of ours may be installed here already.
forget_this_machine() {
    rm -rf "$root/etc/systemd/system" "$root/etc/fstab" "$root/usr/sbin/policy-rc.d" "$root"/etc/rc?.d "$root"/etc/dpkg/dpkg.cfg.d/*
    mkdir -p "$root/etc/systemd/system"
    echo 0123456789abcdef0123456789abcdef >"$root/etc/machine-id"
    find "$root/etc" "$root/var/lib" "$root/var/log" -maxdepth 2 \( -name nfdhcpd -o -name 'snf-network*' \) -exec rm -rf {} +
    sed -i /^nfdhcpd:/d "$root/etc/passwd" "$root/etc/group" "$root/etc/shadow" "$root/etc/gshadow"
}

main
