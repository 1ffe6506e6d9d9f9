#!/usr/bin/env bash
# Counts the instructions of frequent commands of the release build, and exits with 1 when one needs more than its
# limit. The counts are the same in every run on a machine; another compiler moves them by a few hundredths. A command
# that got cheaper gets a lower limit here.
#
# Needs valgrind. `cargo build --release --locked && benches/instructions.sh`
set -euo pipefail
cd "$(dirname "$0")/.."

# What a count may exceed its limit by.
tolerance_percent=8
password='correct horse battery staple'
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT

authctl() {
    env -i HOME="$home" ${counter:-} "$PWD/target/release/authctl" "$@"
}

# The number of instructions of a command; its standard input is that of this function.
instructions() {
    local counter='valgrind --tool=callgrind --callgrind-out-file=/dev/null' said
    said=$(authctl "$@" 2>&1 > "$home/out") || { printf '%s\n' "$said" >&2; exit 2; }
    printf '%s\n' "$said" | sed -n 's/.*Collected : *//p'
}

failed=0
compare() {
    local what=$1 count=$2 limit=$3
    printf '%-24s %10d instructions, limit %d\n' "$what" "$count" "$limit"
    if ((count > limit * (100 + tolerance_percent) / 100)); then
        printf '%s exceeds its limit by more than %d%%\n' "$what" "$tolerance_percent" >&2
        failed=1
    fi
}

authctl signup ada@example.com --name Ada --password-stdin <<< "$password" 2> "$home/err"
for number in {1..200}; do
    authctl users create "user$number@example.com" --name User --no-password 2> "$home/err"
done
hash=$(authctl hash generate --password-stdin <<< "$password" 2> "$home/err")
verify=$(instructions hash verify --stdin <<< "$hash"$'\n'"$password")
signin=$(instructions signin ada@example.com --password-stdin <<< "$password")

compare whoami "$(instructions whoami)" 2215000
compare 'users list' "$(instructions users list)" 4709000
# What a sign-in needs beside the hash.
compare 'signin less hash verify' $((signin - verify)) 4318000
exit $failed
