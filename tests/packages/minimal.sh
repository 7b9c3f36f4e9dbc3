#!/bin/sh
# An archive of the smallest root directory that Debian's or Ubuntu's packages can be installed in, of this machine's release.
# With it is what the package depends on, though not installed: the test that installs it has no network.
# usage: minimal.sh PACKAGE ARCHIVE
set -eu
[ "$(id -u)" = 0 ] || exec sudo -n "$0" "$@"
package=$(realpath "$1") archive=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

main() {
    # shellcheck source=/dev/null
    release=$(. /etc/os-release && echo "$VERSION_CODENAME")
    sources "$release" >"$work/sources.list"
    # Package lists stay.
    # shellcheck disable=SC2016 # $1 is the root directory: mmdebstrap says it to its hooks
    mmdebstrap --quiet --variant=minbase --skip=cleanup/apt \
        --customize-hook="copy-in $package /tmp" \
        --customize-hook='chroot "$1" sh -c "apt-get -qq install --yes --no-install-recommends --download-only /tmp/*.deb; rm /tmp/*.deb"' \
        "$release" "$work/root.tar" "$work/sources.list" >"$work/log" 2>&1 || {
        cat "$work/log" >&2
        exit 1
    }
    mkdir -p "$(dirname "$archive")"
    mv "$work/root.tar" "$archive"
}

# Those of this machine's sources that are the release itself, and no others' additions to it.
sources() {
    # shellcheck disable=SC2016 # apt's own variables
    apt-get indextargets --format 'deb $(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
        grep -E " $1(-(updates|security))? "
}

main
