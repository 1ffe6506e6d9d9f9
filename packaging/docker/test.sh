#!/usr/bin/env bash
# Builds the image and runs it. Where no engine runs, the script goes through the Dockerfile itself: each stage is a
# directory, COPY copies, and RUN is run by a shell in its working directory. An instruction that it does not know is an
# error, so the Dockerfile stays one that can be checked everywhere.
set -euo pipefail
cd "$(dirname "$0")/../.."
file=packaging/docker/Dockerfile
password='correct horse battery staple'

fail() {
    printf 'docker: %s\n' "$*" >&2
    exit 1
}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

if command -v docker > /dev/null && docker info > /dev/null 2>&1; then
    docker build --quiet --file "$file" --tag authctl-test .
    docker run --rm --interactive authctl-test -q signup ada@example.com --name Ada --password-stdin <<< "$password"
    printf 'docker: built and run by an engine\n'
    exit
fi

export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$PWD/target}"
declare -A stages=() variables=()
stage='' directory=/ user='' entry=''
# COPY of a directory copies its content, of a file the file.
copy() {
    local from=$1 to=$2
    mkdir -p "$(dirname "$to")"
    if [ -d "$from" ]; then
        mkdir -p "$to"
        cp -a "$from/." "$to/"
        chmod --reference="$from" "$to"
    else
        cp -a "$from" "$to"
    fi
}
context=$scratch/context
mkdir "$context"
tar --create --exclude-from=.dockerignore --anchored --exclude=./target . | tar --extract --directory "$context"
while read -r instruction words; do
    case $instruction in
        '' | '#'*) ;;
        FROM)
            stage=$scratch/stage-${#stages[@]} directory=/
            mkdir "$stage"
            name=$(sed -n 's/.* AS //p' <<< "$words")
            stages[${name:-last}]=$stage
            ;;
        WORKDIR) directory=$words && mkdir -p "$stage$directory" ;;
        COPY)
            source=$context
            read -ra parts <<< "$words"
            paths=()
            for part in "${parts[@]}"; do
                case $part in
                    --from=*) source=${stages[${part#--from=}]} ;;
                    --chown=*) ;;
                    --*) fail "COPY $part is not known" ;;
                    *) paths+=("$part") ;;
                esac
            done
            [ ${#paths[@]} = 2 ] || fail "COPY takes one source and one place: $words"
            to=${paths[1]}
            [ "${to:0:1}" = / ] || to=$directory/$to
            copy "$source/${paths[0]}" "$stage$to"
            ;;
        RUN) (cd "$stage$directory" && sh -euc "$words") || fail "RUN $words" ;;
        ENV) for word in $words; do variables[${word%%=*}]=${word#*=}; done ;;
        USER) user=$words ;;
        VOLUME) [ -d "$stage$words" ] || fail "the volume $words does not exist" ;;
        ENTRYPOINT) entry=$(sed 's/^\["\(.*\)"\]$/\1/' <<< "$words") ;;
        *) fail "the instruction $instruction is not known" ;;
    esac
done < "$file"
[ -n "$user" ] && [ "$user" != 0 ] && [ "$user" != root ] || fail 'the image runs as root'
[ "$(stat --format %a "$stage/data")" = 700 ] || fail 'others can read the directory of the database'
set --
for name in "${!variables[@]}"; do
    set -- "$@" "$name=${variables[$name]/#\/data/$stage/data}"
done
env -i "$@" "$stage$entry" -q signup ada@example.com --name Ada --password-stdin <<< "$password"
[ -f "$stage/data/auth.db" ] || fail 'the database is not on the volume'
env -i "$@" "$stage$entry" whoami > "$scratch/out"
printf 'docker: every stage was run by a shell, because no engine runs here\n'
