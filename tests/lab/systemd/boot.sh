#!/bin/sh
# Starts systemd as the first process of namespaces of its own, in a control group of its own, with the units of one directory
# and nothing else. It sees the network and most files of whoever calls, but neither devices nor processes, and may change no
# setting of the kernel. What is in PACKAGE/sbin is in /usr/sbin.
# usage: boot.sh GROUP UNITS PACKAGE
set -eu
group=$1 units=$2 package=$3

if [ "${4:-}" != inside ]; then
    echo 0 >"$group/cgroup.procs"
    exec unshare --pid --fork --kill-child --mount --propagation private --cgroup --uts --ipc "$0" "$@" inside
fi

mount -t proc proc /proc
mount --bind /proc/sys /proc/sys
mount -o remount,bind,ro /proc/sys
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount -o remount,bind,ro /sys

mkdir /run/dev
mount -t tmpfs -o mode=755 tmpfs /run/dev
for device in null zero full random urandom tty; do cp -a /dev/$device /run/dev; done
mkdir /run/dev/shm /run/dev/pts
mount -t devpts -o newinstance,ptmxmode=666 devpts /run/dev/pts
ln -s pts/ptmx /run/dev/ptmx
mount --move /run/dev /dev

chmod 755 /run
for folder in /var/lib /var/log; do mount -t tmpfs -o mode=755 tmpfs $folder; done
for folder in /var/tmp /tmp; do mount -t tmpfs -o mode=1777 tmpfs $folder; done
mkdir "$package/work"
mount -t overlay overlay -o "lowerdir=/usr/sbin,upperdir=$package/sbin,workdir=$package/work" /usr/sbin

# "container" keeps it from what is the machine's: its clock, its name, its limits.
exec env -i container=lab PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    SYSTEMD_UNIT_PATH="$units" SYSTEMD_GENERATOR_PATH=/nowhere SYSTEMD_ENVIRONMENT_GENERATOR_PATH=/nowhere \
    setpriv --bounding-set=-sys_time,-sys_module,-sys_boot \
    /lib/systemd/systemd --unit=lab.target --log-target=journal --show-status=no
