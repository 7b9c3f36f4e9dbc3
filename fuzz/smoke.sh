#!/bin/sh
# Fuzzes every target for a while, from the seeds of pcaps/ and after the regression cases.
#
#   fuzz/smoke.sh [seconds for each target, 30 unless told]
#
# Needs cargo-fuzz, no nightly: RUSTC_BOOTSTRAP opens the stable compiler's instrumentation. There is no sanitizer unless
# SANITIZER names one (address works): our code has no unsafe block outside io/sys, which no target reaches.
#
# The regression cases are run here and not by `cargo test`: the fuzz targets are the only entry to the engine that reads
# their format, and to build them is to build libFuzzer. What a case showed has a unit test beside the code.
set -u

seconds=${1:-30}
cd "$(dirname "$0")/.." || exit 1
root=$PWD
PATH=$root/target/tools/bin:$PATH
export RUSTC_BOOTSTRAP=1
sanitizer=${SANITIZER:-none}
logs=$root/fuzz/target/smoke

# Above these, an input counts as a finding: seconds, and megabytes.
timeout=5
memory=1024
# Inputs as long as the longest packet, with what a target puts before it.
longest=65600

cargo fuzz build --sanitizer "$sanitizer" || exit 1
targets=$(cargo fuzz list | grep -vx seeds)
rm -rf "$logs"
mkdir -p "$logs"
fuzz/seeds.sh "$sanitizer" >"$logs/seeds" 2>&1 || { cat "$logs/seeds"; exit 1; }

# fuzz TARGET: first the regression cases, then new inputs.
fuzz() {
    target=$1
    binary=$root/fuzz/target/$(rustc -vV | sed -n 's/^host: //p')/release/$target
    cases=$root/fuzz/regressions/$target
    corpus=$root/fuzz/corpus/$target
    artifacts=$root/fuzz/artifacts/$target
    mkdir -p "$corpus" "$artifacts"
    limits="-timeout=$timeout -rss_limit_mb=$memory -artifact_prefix=$artifacts/"
    if [ -d "$cases" ] && ! "$binary" $limits "$cases"/*; then
        return 1
    fi
    "$binary" $limits -max_len=$longest -max_total_time="$seconds" -dict="$root/fuzz/dictionary" \
        -print_final_stats=1 "$corpus"
}

# Two at a time.
passed=0
failed=0
set -- $targets
while [ $# -gt 0 ]; do
    first=$1
    second=${2:-}
    shift
    [ $# -gt 0 ] && shift
    fuzz "$first" >"$logs/$first" 2>&1 &
    first_pid=$!
    [ -n "$second" ] && { fuzz "$second" >"$logs/$second" 2>&1 & }
    second_pid=$!
    for pair in "$first:$first_pid" ${second:+"$second:$second_pid"}; do
        target=${pair%%:*}
        if wait "${pair##*:}"; then
            passed=$((passed + 1))
            speed=$(sed -n 's/^stat::average_exec_per_sec: *//p' "$logs/$target")
            coverage=$(grep -o 'cov: [0-9]* ft: [0-9]*' "$logs/$target" | tail -n 1)
            printf 'ok      %-16s %8s runs/s  %s\n' "$target" "$speed" "$coverage"
        else
            failed=$((failed + 1))
            printf 'FAILED  %-16s %s\n' "$target" "$logs/$target"
            grep -E 'panicked at|ERROR:|Test unit written to|^Failing input' -A 1 "$logs/$target" | sed 's/^/        /'
        fi
    done
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
