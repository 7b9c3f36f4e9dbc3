#!/bin/sh
# Packages such as were there before: nfdhcpd with a daemon that stands in for the one in Python, and snf-network. Init script,
# settings, process id and log where those had them; versions that are higher than ours.
# usage: older.sh OUTPUT, a directory
set -eu
output=$1
work=$(mktemp -d)

main() {
    daemon
    settings
    scripts
    pack nfdhcpd 0.19-1 /etc/nfdhcpd/nfdhcpd.conf /etc/default/nfdhcpd /etc/init.d/nfdhcpd
    put snf-network/etc/default/snf-network <<'END'
# MAC_MASK=ff:ff:f0:00:00:00
STATE_DIR=/var/lib/snf-network
END
    put snf-network/etc/ganeti/kvm-vif-bridge </dev/null
    pack snf-network 0.16-1 /etc/default/snf-network
    rm -r "$work"
}

daemon() {
    put nfdhcpd/usr/sbin/nfdhcpd <<'END'
#!/bin/sh
mkdir -p /var/run/nfdhcpd /var/log/nfdhcpd
sleep infinity &
echo $! >/var/run/nfdhcpd/nfdhcpd.pid
echo started >>/var/log/nfdhcpd/nfdhcpd.log
END
    put nfdhcpd/usr/share/pyshared/nfdhcpd/__init__.py </dev/null
    put nfdhcpd/etc/init.d/nfdhcpd <<'END'
#!/bin/sh
### BEGIN INIT INFO
# Provides:          nfdhcpd
# Required-Start:    $remote_fs
# Required-Stop:     $remote_fs
# Default-Start:     2 3 4 5
# Default-Stop:      0 1 6
# Short-Description: DHCP
### END INIT INFO
pidfile=/var/run/nfdhcpd/nfdhcpd.pid
[ ! -r /etc/default/nfdhcpd ] || . /etc/default/nfdhcpd
case "$1" in
    start) start-stop-daemon --start --pidfile $pidfile --exec /usr/sbin/nfdhcpd -- $DAEMON_OPTS ;;
    stop) start-stop-daemon --stop --oknodo --pidfile $pidfile ;;
    restart|force-reload) "$0" stop; "$0" start ;;
esac
END
}

settings() {
    put nfdhcpd/etc/default/nfdhcpd <<'END'
DAEMON_OPTS=""
END
    put nfdhcpd/etc/nfdhcpd/nfdhcpd.conf <<'END'
[general]
pidfile = /var/run/nfdhcpd/nfdhcpd.pid
datapath = /var/lib/nfdhcpd # Where the client configuration will be read from
logdir = /var/log/nfdhcpd   # Where to write our logs
user = nobody # An unprivileged user to run as

[dhcp]
enable_dhcp = yes
lease_lifetime = 604800 # 1 week
lease_renewal = 3600    # 1 hour
server_ip = 192.0.2.1
dhcp_queue = 42 # NFQUEUE number to listen on for DHCP requests
nameservers = 192.0.2.1, 192.0.2.2

[ipv6]
enable_ipv6 = yes
ra_period = 300 # seconds
rs_queue = 43
ns_queue = 44
dhcp_queue = 45
nameservers = 2001:db8:100::1, 2001:db8:200::2
domains =
END
    mkdir -p "$work/nfdhcpd/var/lib/nfdhcpd"
}

scripts() {
    put nfdhcpd/DEBIAN/postinst <<'END'
#!/bin/sh
set -e
update-rc.d nfdhcpd defaults
invoke-rc.d nfdhcpd start
END
    put nfdhcpd/DEBIAN/prerm <<'END'
#!/bin/sh
set -e
invoke-rc.d nfdhcpd stop
END
}

# A file, which may be a program, from the standard input.
put() {
    mkdir -p "$work/$(dirname "$1")"
    cat >"$work/$1"
    chmod 755 "$work/$1"
}

# usage: pack PACKAGE VERSION CONFFILE...
pack() {
    package=$1 version=$2
    shift 2
    mkdir -p "$work/$package/DEBIAN"
    printf '%s\n' "$@" >"$work/$package/DEBIAN/conffiles"
    printf '%s\n' "Package: $package" "Version: $version" 'Architecture: all' 'Description: older' \
        'Maintainer: nfdhcpd developers <nfdhcpd@nfdhcpd.invalid>' >"$work/$package/DEBIAN/control"
    dpkg-deb --root-owner-group --build "$work/$package" "$output/$package-older.deb" >/dev/null
}

main
