#!/usr/bin/env bash
# The linker of packaging/static.toml. It puts the functions of packaging/start-order.txt, which short commands run, side by side.
# Otherwise they are all over the program, and the system maps a piece of it for each few of them, which took an eighth of the time
# of a short command. A name that is not there has no effect, and only lld orders functions by a list.
set -euo pipefail
[[ " $* " == *' -fuse-ld=lld '* ]] || exec cc "$@"
here=$(dirname "${BASH_SOURCE[0]}")
inputs=()
for argument; do
    case $argument in *.o | *.rlib | *.a) inputs+=("$argument") ;; esac
done
names=$(mktemp) order=$(mktemp)
trap 'rm "$names" "$order"' EXIT
# Archives of the compiler have a part that is no object.
nm --defined-only --format=just-symbols "${inputs[@]}" > "$names" 2> /dev/null || true
sed -f "$here/hashes.sed" "$names" | paste - "$names" \
    | awk -F '\t' 'NR == FNR { listed[$1]; next } $1 in listed { print $2 }' "$here/start-order.txt" - | LC_ALL=C sort -u > "$order"
# Names of C, which have no hash, are also those of libraries that only the linker finds.
grep -vE '^_(R|ZN)' "$here/start-order.txt" >> "$order"
cc "$@" -Wl,--symbol-ordering-file="$order" -Wl,--no-warn-symbol-ordering
