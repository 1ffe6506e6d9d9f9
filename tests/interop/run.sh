#!/usr/bin/env bash
# Runs the interop driver: fetches the packages when they are missing, then `node run.mjs "$@"`. Needs Node and a C compiler.
set -euo pipefail
cd "$(dirname "$0")"

if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
    echo "interop: not run, because Node is not installed" >&2
    exit 0
fi
if ! node -e 'const [major, minor] = process.versions.node.split("."); process.exit(major > 20 || (major == 20 && minor >= 19) ? 0 : 1)'; then
    echo "interop: not run, because Node $(node --version) is older than 20.19" >&2
    exit 0
fi
if ! [ -d node_modules ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
    npm ci --ignore-scripts=false --loglevel=error
fi
exec node run.mjs "$@"
