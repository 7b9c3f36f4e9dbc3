#!/bin/sh
# What a guest starts from, in memory: FOLDER/vmlinuz and FOLDER/initrd.
# usage: guest.sh FOLDER KERNEL, where KERNEL is the folder that kernel.sh of the topologies fills.
set -eu
here=$(dirname "$(readlink -f "$0")")
folder=$1 kernel=$2

# In the order in which they need each other.
modules='virtio_ring virtio virtio_pci_modern_dev virtio_pci_legacy_dev virtio_pci failover net_failover virtio_net evdev button'

main() {
    "$here/../topologies/kernel.sh" "$kernel"
    mkdir -p "$folder/files/bin" "$folder/files/modules" "$folder/files/etc/acpi/PWRF"
    cp "$kernel/vmlinuz" "$folder"
    add_modules
    cp "$here"/guest/* "$folder/files"
    cp "$kernel/busybox" "$folder/files/bin"
    printf '#!/bin/sh\npoweroff -f\n' >"$folder/files/etc/acpi/PWRF/00000080"
    chmod +x "$folder/files/etc/acpi/PWRF/00000080"
    (cd "$folder/files" && find . | bin/busybox cpio -o -H newc 2>/dev/null | gzip -1) >"$folder/initrd"
    rm -rf "$folder/files"
}

# Some of them are part of some kernels.
add_modules() {
    for module in $modules; do
        file=$(find "$kernel/lib/modules" -name "$module.ko")
        [ -z "$file" ] || {
            cp "$file" "$folder/files/modules"
            echo "$module"
        }
    done >"$folder/files/modules/order"
}

main
