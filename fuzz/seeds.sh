#!/bin/sh
# Writes seeds into fuzz/corpus/: the frames of the captures in pcaps/, and the text files of fuzz/fixtures/.
#
#   fuzz/seeds.sh [sanitizer that the targets are built with, none unless told]
set -eu

cd "$(dirname "$0")/.."
export RUSTC_BOOTSTRAP=1
corpus=fuzz/corpus

mkdir -p $corpus/config $corpus/binding
cp config/nfdhcpd.conf $corpus/config/seed-shipped
cp fuzz/fixtures/nfdhcpd.conf $corpus/config/seed-fixture
for file in fuzz/fixtures/bindings/*; do
    cp "$file" "$corpus/binding/seed-${file##*/}"
done

captures=$(find pcaps -name '*.pcap')
[ -n "$captures" ] || { echo "no captures" >&2; exit 1; }
# "seeds" is built like a target, and writes what is in each file that it is run on.
cargo fuzz run --sanitizer "${1:-none}" seeds $captures
