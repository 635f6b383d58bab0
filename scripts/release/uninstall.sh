#!/bin/sh
# usage: ./uninstall
# Removes the updater. The services, the store in /opt/tope/.tope-updater, the configuration and the work folder stay.
set -eu

HOME_FOLDER=/opt/tope/updater
UNITS=/etc/systemd/system
COMMAND=/usr/local/bin/tope-updater
SERVICE=tope-updater.service
RECOVER=tope-updater-recover.service
DROP_IN=tope-roots.conf

refuse() { echo "uninstall: $*" >&2; exit 1; }

[ $# = 0 ] || { echo 'usage: ./uninstall' >&2; exit 2; }
[ "$(id -u)" = 0 ] || refuse 'this needs root'
journal=$(sed -n 's/%%/%/g; s/^ConditionPathExists=\(.\)/\1/p' "$UNITS/$RECOVER.d/$DROP_IN" 2>/dev/null || true)
[ -n "$journal" ] || journal=/opt/tope/.tope-updater/journal

# Stopped first: what was looked at before could have begun since.
was_active=false
if systemctl --quiet is-active "$SERVICE"; then was_active=true; fi
systemctl stop "$SERVICE" 2>/dev/null || true
if [ -e "$journal" ]; then
  if [ "$was_active" = true ]; then systemctl start "$SERVICE"; fi
  refuse "an update is going on, or was cut (there is $journal): let the updater end it first"
fi
systemctl --quiet disable "$SERVICE" "$RECOVER" 2>/dev/null || true
for unit in "$SERVICE" "$RECOVER"; do
  rm -f "$UNITS/$unit" "$UNITS/$unit.d/$DROP_IN"
  rmdir "$UNITS/$unit.d" 2>/dev/null || true
done
systemctl daemon-reload
systemctl reset-failed "$SERVICE" 2>/dev/null || true
if [ "$(readlink "$COMMAND" || true)" = "$HOME_FOLDER/program/bin/tope-updater" ]; then rm -f "$COMMAND"; fi
rm -rf "$HOME_FOLDER/program" "$HOME_FOLDER"/program-* "$HOME_FOLDER/.program.new"
rmdir "$HOME_FOLDER" 2>/dev/null || true
sync
echo 'uninstall: done; store, configuration, work folder and services are as they were'
