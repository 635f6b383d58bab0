#!/bin/sh
# Runs the updater with the node that came with the release, else with the one in the PATH. Where the release is packed,
# what scripts/release/node-flags.ts tells is put into the last two lines.
program=$(dirname "$(dirname "$(readlink -f "$0")")")
node=$program/runtime/node
[ -x "$node" ] || node=node
export NODE_ENVIRONMENT
exec "$node" NODE_FLAGS "$program/dist/scripts/tope-updater.js" "$@"
