#!/usr/bin/env bash
# Builds the Debian package, installs it into a scratch root, runs the program from there, and removes it. Needs
# cargo-deb, dpkg and dpkg-dev. Exit code 77: not run, because a tool is missing. With CI set that is a failure.
set -euo pipefail
cd "$(dirname "$0")/../.."

fail() {
    printf 'deb: %s\n' "$*" >&2
    exit 1
}
for tool in cargo-deb dpkg-deb dpkg-shlibdeps; do
    if ! command -v "$tool" > /dev/null; then
        printf 'deb: not run, because %s is not installed\n' "$tool" >&2
        [ -z "${CI:-}" ] || exit 1
        exit 77
    fi
done

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
packaging/build.sh --quiet
cargo deb --quiet --locked --no-build --profile dist --output "$scratch/authctl.deb" > "$scratch/out"
dpkg-deb --field "$scratch/authctl.deb" Package Version Depends
root=$scratch/root
mkdir -p "$root/var/lib/dpkg/updates" "$root/var/lib/dpkg/info" "$root/var/log"
: > "$root/var/lib/dpkg/status"
as_root=()
[ "$(id -u)" = 0 ] || as_root=(fakeroot)
# The scratch root has no other packages, and the package has no scripts that would need them.
in_root() {
    "${as_root[@]}" dpkg --root="$root" --log="$scratch/log" --force-depends "$@" 2> "$scratch/err" > "$scratch/out" ||
        fail "dpkg $*: $(cat "$scratch/err")"
}
[ -z "$(dpkg-deb --ctrl-tarfile "$scratch/authctl.deb" | tar -t | grep -E '(pre|post)(inst|rm)$')" ] ||
    fail 'the package has scripts'
in_root --install "$scratch/authctl.deb"

for file in usr/bin/authctl usr/share/man/man1/authctl.1.gz usr/share/man/man1/authctl-users.1.gz \
    usr/share/bash-completion/completions/authctl usr/share/zsh/vendor-completions/_authctl \
    usr/share/fish/vendor_completions.d/authctl.fish usr/share/doc/authctl/copyright usr/lib/sysusers.d/authctl.conf \
    usr/lib/systemd/system/authctl-{prune,backup}.{service,timer}; do
    [ -f "$root/$file" ] || fail "$file is missing"
done
for page in "$root"/usr/share/man/man1/*; do
    gzip --test "$page"
done
# Timers run when an administrator enables them.
[ ! -e "$root/etc/systemd" ] || fail 'a unit is enabled'
if command -v systemd-analyze > /dev/null; then
    mkdir "$scratch/units"
    cp "$root"/usr/lib/systemd/system/authctl-* "$scratch/units"
    sed -i "s|^ExecStart=|ExecStart=$root|" "$scratch"/units/*.service
    systemd-analyze verify --man=no "$scratch"/units/* ||
        fail 'systemd does not accept the units'
fi

ldd "$root/usr/bin/authctl" > "$scratch/out" 2>&1 && ! grep -q 'statically linked' "$scratch/out" &&
    fail 'the program loads libraries'
mkdir -m 700 "$scratch/home"
authctl() {
    env -i HOME="$scratch/home" "$root/usr/bin/authctl" "$@"
}
[ "$(authctl --version)" = "authctl $(dpkg-deb --field "$scratch/authctl.deb" Version | sed 's/-[^-]*$//')" ] ||
    fail "--version says $(authctl --version)"
authctl -q signup ada@example.com --name Ada --password-stdin <<< 'correct horse battery staple'
[ "$(authctl whoami --json | grep -c ada@example.com)" = 1 ] || fail 'nobody is signed in'
# Names of users and machines come from the system, although the program has a C library of its own.
authctl audit list --json | grep -q "\"osUser\": \"$(id -un)\"" || fail 'the audit log has no name of the user'
host=$(uname -n)
if getent hosts "$host" > "$scratch/out"; then
    said=$(authctl --db "postgres://authctl@$host:1/app?sslmode=disable" db status 2>&1) || true
    grep -q refused <<< "$said" || fail "$host has no address: $said"
fi
# What the units run.
for unit in prune backup; do
    mkdir -p "$scratch/home/backups"
    command=$(sed -n 's|^ExecStart=/usr/bin/authctl ||p' "$root/usr/lib/systemd/system/authctl-$unit.service")
    # shellcheck disable=SC2086
    authctl -q ${command/\/var\/lib\/authctl/$scratch/home} > "$scratch/out" || fail "$unit: exit code $?"
done
[ "$(find "$scratch/home/backups" -name 'auth.*.db' | wc -l)" = 1 ] || fail 'the unit made no backup'

in_root --purge authctl
left=$(find "$root" -type f ! -path "$root/var/*")
[ -z "$left" ] || fail "files are left: $left"
printf 'deb: built, installed, run and removed\n'
