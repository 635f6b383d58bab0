#!/bin/sh
# usage: ./uninstall
# Removes the updater. The services, the store in /opt/tope/.tope-updater, the configuration and the work folder stay.
set -eu

HOME_FOLDER=/opt/tope/updater
UNITS=/etc/systemd/system
COMMAND=/usr/local/bin/tope-updater
SERVICE=tope-updater.service
RECOVER=tope-updater-recover.service

refuse() { echo "uninstall: $*" >&2; exit 1; }

[ $# = 0 ] || { echo 'usage: ./uninstall' >&2; exit 2; }
[ "$(id -u)" = 0 ] || refuse 'this needs root'
[ ! -e /opt/tope/.tope-updater/journal ] ||
  refuse 'an update is going on, or was cut (there is a journal): let the updater end it first'

systemctl stop "$SERVICE" 2>/dev/null || true
systemctl --quiet disable "$SERVICE" "$RECOVER" 2>/dev/null || true
rm -f "$UNITS/$SERVICE" "$UNITS/$RECOVER"
systemctl daemon-reload
systemctl reset-failed "$SERVICE" 2>/dev/null || true
if [ "$(readlink "$COMMAND" || true)" = "$HOME_FOLDER/program/bin/tope-updater" ]; then rm -f "$COMMAND"; fi
rm -rf "$HOME_FOLDER/program" "$HOME_FOLDER"/program-* "$HOME_FOLDER/.program.new"
rmdir "$HOME_FOLDER" 2>/dev/null || true
sync
echo 'uninstall: done; store, configuration, work folder and services are as they were'
