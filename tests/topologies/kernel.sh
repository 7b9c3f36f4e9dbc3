#!/bin/sh
# Debian's kernel for the guest, under FOLDER and nowhere else on the machine: FOLDER/vmlinuz, FOLDER/lib/modules, and
# FOLDER/initrd, whose init is init.sh. FOLDER/busybox needs no libraries, which that of the machine may. What is there and
# newer than these scripts is taken as it is.
set -eu
here=$(dirname "$(readlink -f "$0")")
folder=$1
mkdir -p "$folder"
cd "$folder"
exec 9>lock
flock 9

main() {
    is_newer busybox "$here/kernel.sh" || unpack_busybox "$(download busybox-static)"
    is_newer vmlinuz "$here/kernel.sh" || unpack "$(download "$(current)")"
    if ! is_newer initrd vmlinuz || ! is_newer initrd "$here/init.sh"; then make_initrd; fi
}

is_newer() {
    [ -n "$(find "$1" -newer "$2" 2>/dev/null)" ]
}

# The name of a package's file. Package lists may be older than what the archive still has.
download() {
    rm -f ./*.deb
    apt-get -qq download "$1" >/dev/null 2>&1 || {
        as_root apt-get -qq update >&2
        apt-get -qq download "$1" >/dev/null
    }
    echo ./*.deb
}

# What the package of no version depends on.
current() {
    apt-cache depends --important linux-image-amd64 | awk '/Depends:/ { print $2; exit }'
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

unpack_busybox() {
    dpkg-deb --fsys-tarfile "$1" | tar -xO --wildcards '*/bin/busybox' >busybox.new
    rm -f "$1"
    chmod +x busybox.new
    mv busybox.new busybox
}

# The parts of it that have to do with networks and file systems.
unpack() {
    rm -rf lib boot vmlinuz
    set -- "$1" ./lib/modules/*/kernel
    dpkg-deb --fsys-tarfile "$1" | tar -x --wildcards './boot/vmlinuz*' './lib/modules/*/modules.*' "$2/crypto" "$2/lib" \
        "$2/net" "$2/fs/9p" "$2/fs/netfs" "$2/fs/fscache" "$2/fs/overlayfs" "$2/drivers/virtio" "$2/drivers/net/*.ko" \
        "$2/drivers/net/bonding" "$2/drivers/acpi/button.ko" "$2/drivers/input/evdev.ko"
    rm -f "$1"
    ./busybox depmod -b . "$(ls lib/modules)"
    mv boot/vmlinuz* vmlinuz
    touch vmlinuz
}

# As much as it takes to see the machine's files.
make_initrd() {
    rm -rf initramfs
    modules=$(echo lib/modules/*)
    mkdir -p initramfs/bin "initramfs/$modules"
    cp "$here/init.sh" initramfs/init
    cp busybox initramfs/bin/busybox
    cp -r --parents "$modules"/modules.* "$modules"/kernel/drivers/virtio "$modules"/kernel/net/9p \
        "$modules"/kernel/fs initramfs
    (cd initramfs && find . | ../busybox cpio -o -H newc 2>/dev/null) >initrd.new
    rm -rf initramfs
    mv initrd.new initrd
}

main
