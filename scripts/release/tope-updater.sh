#!/bin/sh
# Runs the updater with the node that came with the release, else with the one in the PATH. Small young generations keep
# what is read and thrown away from piling up: docs/operations.md, "Memory".
program=$(dirname "$(dirname "$(readlink -f "$0")")")
node=$program/runtime/node
[ -x "$node" ] || node=node
exec "$node" --max-semi-space-size=1 "$program/dist/scripts/tope-updater.js" "$@"
