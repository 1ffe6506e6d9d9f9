#!/usr/bin/env bash
# Runs the interop driver: fetches the packages when they are missing, then `node run.mjs "$@"`. With `--prepare` it fetches
# the packages alone. Needs Node and a C++ compiler. Exit code 77: not run, with the reason.
set -euo pipefail
cd "$(dirname "$0")"

if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
    echo "interop: not run, because Node is not installed" >&2
    exit 77
fi
if ! node -e 'const [major, minor] = process.versions.node.split("."); process.exit(major > 20 || (major == 20 && minor >= 19) ? 0 : 1)'; then
    echo "interop: not run, because Node $(node --version) is older than 20.19" >&2
    exit 77
fi
if ! [ -d node_modules ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
    # A native module is built with the headers that came with Node, if they did.
    prefix="$(dirname "$(dirname "$(command -v node)")")"
    if [ -z "${npm_config_nodedir:-}" ] && [ -f "$prefix/include/node/node.h" ]; then
        export npm_config_nodedir="$prefix"
    fi
    if ! npm ci --ignore-scripts=false --loglevel=error; then
        rm -rf node_modules
        echo "interop: not run, because its packages could not be installed" >&2
        exit 77
    fi
fi
[ "${1:-}" != --prepare ] || exit 0
exec node run.mjs "$@"
