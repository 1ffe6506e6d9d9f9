#!/usr/bin/env bash
# Compares the build for shipping with its limits: the instructions of frequent commands, and the peak memory of lists. Exits
# with 1 when one is exceeded. The counts are the same in every run on a machine; another compiler moves them by a few
# hundredths. A command that got cheaper gets a lower limit here.
#
# Needs valgrind, sqlite3 and GNU time. `packaging/build.sh && benches/limits.sh`
set -euo pipefail
cd "$(dirname "$0")/.."

# What a count may exceed its limit by.
tolerance_percent=8
password='correct horse battery staple'
home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT

authctl() {
    env -i HOME="$home" ${counter:-} "$PWD/target/dist/authctl" "$@"
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

compare whoami "$(instructions whoami)" 2230000
compare 'users list' "$(instructions users list)" 4480000
# What a sign-in and a sign-up need beside the hash.
compare 'signin less hash verify' $((signin - verify)) 2860000
signup=$(instructions signup bob@example.com --name Bob --password-stdin <<< "$password")
compare 'signup less hash verify' $((signup - verify)) 7450000

# Rows of a hundred thousand users. As many held in memory would take 100 MiB and more.
sqlite3 "$home/.local/share/authctl/auth.db" '.dbconfig enable_trigger off' '
    CREATE TEMP TABLE "n" AS WITH RECURSIVE "n" ("i") AS (SELECT 1 UNION ALL SELECT "i" + 1 FROM "n" WHERE "i" < 100000)
        SELECT "i" FROM "n";
    INSERT INTO "user" ("id", "name", "email", "emailVerified", "createdAt", "updatedAt")
        SELECT printf("%032d", "i"), "User " || "i", "one" || "i" || "@example.com", 0, 1, 1 FROM "n";
    INSERT INTO "session" ("id", "token", "userId", "expiresAt", "createdAt", "updatedAt")
        SELECT printf("%032d", "i"), printf("%064d", "i"), printf("%032d", "i"), 9000000000, 1, 1 FROM "n";
    INSERT INTO "authctl_audit" ("form", "at", "event", "osUser", "host", "userId", "userEmail", "hash")
        SELECT 1, 1, "session.begun", "ada", "localhost", printf("%032d", "i"), "one" || "i" || "@example.com", printf("%064d", "i")
        FROM "n";' > "$home/out"

memory() {
    local lines=$1 limit=$2 peak
    shift 2
    counter="/usr/bin/time -f %M -o $home/peak" authctl "$@" > "$home/out"
    peak=$(tail -n 1 "$home/peak")
    printf '%-42s %6d KiB, limit %d\n' "$*" "$peak" "$limit"
    if (($(wc -l < "$home/out") < lines)); then
        printf '%s printed fewer than %d lines\n' "$*" "$lines" >&2
        failed=1
    fi
    if ((peak > limit)); then
        printf '%s exceeds its limit\n' "$*" >&2
        failed=1
    fi
}

memory 1000 24576 users list --json --limit 1000
memory 100000 24576 sessions list --all-users --json
memory 100000 24576 audit list --json
exit $failed
