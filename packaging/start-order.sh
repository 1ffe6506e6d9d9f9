#!/usr/bin/env bash
# Writes packaging/start-order.txt, which packaging/linker.sh reads: the functions that short commands run, without the hashes in
# their names. Takes the address of an empty PostgreSQL database, for those that only a server needs. Needs valgrind. The list does
# not have to be exact: what it misses is mapped as it was before. `packaging/start-order.sh postgres://...`
set -euo pipefail
cd "$(dirname "$0")/.."
server=$1
cargo --config packaging/static.toml --config 'profile.dist.strip="none"' build --profile dist --locked
authctl=$(realpath "${CARGO_TARGET_DIR:-target}/$(rustc -vV | sed -n 's/^host: //p')/dist/authctl")
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
unset "${!AUTHCTL_@}" "${!XDG_@}"
export HOME=$place

# The functions that a command runs.
functions() {
    valgrind --quiet --tool=callgrind --demangle=no --callgrind-out-file="$place/out" "$authctl" "$@" &> /dev/null
    sed -nE "s/^c?fn=\([0-9]+\) ([A-Za-z_][^']*).*/\1/p" "$place/out"
}

# The functions of short commands, for a user who signs up first.
functions_of_all() {
    "$authctl" signup --quiet ada@example.com --name Ada --password-stdin <<< 'correct horse battery staple' > /dev/null
    for command in whoami 'whoami --json' 'sessions list' 'users list' 'users show ada@example.com' 'audit tail'; do
        functions $command
    done
}

{
    functions_of_all
    AUTHCTL_DB=$server functions_of_all
} > "$place/functions"
sed -f packaging/hashes.sed "$place/functions" | LC_ALL=C sort -u > packaging/start-order.txt
wc -l packaging/start-order.txt
# Cargo does not see that the program depends on the list, and would not link it again.
touch src/main.rs
