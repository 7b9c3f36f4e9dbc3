#!/bin/sh
# What udhcpc was told, for the test to read, and the address and route that follow from it.
# shellcheck disable=SC2154 # udhcpc sets them
{ echo "event=$1"; env; } >"/run/lab/$GUEST.lease.new"
mv "/run/lab/$GUEST.lease.new" "/run/lab/$GUEST.lease"
case $1 in
deconfig)
    ip -4 address flush dev "$interface"
    ;;
bound | renew)
    ip -4 address replace "$ip/$mask" dev "$interface"
    for gateway in $router; do
        ip route replace default via "$gateway" dev "$interface" onlink
    done
    ;;
esac
