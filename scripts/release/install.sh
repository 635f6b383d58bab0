#!/bin/sh
# usage: ./install [--factory VERSION [PATH...]]
# Installs the updater of this release on a device with systemd, or upgrades one in place; the same release again changes
# nothing. State, configuration and store stay. What goes wrong is undone: what ran before runs again.
set -eu
cd "$(dirname "$(readlink -f "$0")")"

HOME_FOLDER=/opt/tope/updater
PROGRAM=$HOME_FOLDER/program
WORK=/var/lib/tope-updater
CONFIG=/etc/tope-updater
UNITS=/etc/systemd/system
COMMAND=/usr/local/bin/tope-updater
SERVICE=tope-updater.service
RECOVER=tope-updater-recover.service
DROP_IN=tope-roots.conf
ANSWER_TRIES=60

# Only what was written here: the rest of the device need not wait.
flush() { sync -f "$HOME_FOLDER" "$UNITS" "$CONFIG" 2>/dev/null || sync; }

say() { echo "install: $*"; }
refuse() { say "$*" >&2; exit 1; }

factory=false
if [ $# -gt 0 ]; then
  case $1 in
    --factory) [ $# -ge 2 ] || refuse '--factory needs a version, for example 1.0.0'; factory=true; shift ;;
    *) echo 'usage: ./install [--factory VERSION [PATH...]]' >&2; exit 2 ;;
  esac
fi

[ "$(id -u)" = 0 ] || refuse 'this needs root'
[ -d /run/systemd/system ] || refuse 'this device does not run systemd'
sha256sum --check --quiet --strict SHA256SUMS || refuse 'this release is damaged: fetch it again'

# The node that the unit will find: systemd does not know the PATH of this shell.
node=program/runtime/node
[ -x "$node" ] || node=$(env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin sh -c 'command -v node') ||
  refuse 'there is no node: install Node 20, or use the release that brings one along'
"$node" -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 15) ? 0 : 1)' ||
  refuse "$node is $("$node" --version 2>&1), expected v20.15 or newer"

# Whoever could write there could have root run their own program.
foreign=$(find -H /opt/tope "$HOME_FOLDER" "$CONFIG" "$CONFIG/config.json" -maxdepth 0 '(' ! -user 0 -o -perm /022 ')' 2>/dev/null || true)
[ -z "$foreign" ] ||
  refuse "others than root can write here: $(echo $foreign); chown root:root and chmod go-w each, then call install again"

version=$(cat VERSION)
id=$version-$(sha256sum SHA256SUMS | cut -c 1-12)
new=$HOME_FOLDER/program-$id
before=$(readlink "$PROGRAM" || true)

# What is replaced is kept: the units, and the saved state of an updater that is not ours.
saved=$HOME_FOLDER/replaced
if [ -z "$before" ] && [ -e "$UNITS/$SERVICE" ] && [ ! -e "$saved" ]; then
  mkdir -p "$saved.new"
  cp -a "$UNITS/$SERVICE" "$saved.new/"
  if [ -e "$HOME_FOLDER/tmp/state.json" ]; then cp -a "$HOME_FOLDER/tmp/state.json" "$saved.new/"; fi
  mv -T "$saved.new" "$saved"
  say "found another updater: its unit is kept in $saved, its files stay where they are"
fi
was_active=false
if systemctl --quiet is-active "$SERVICE"; then was_active=true; fi
was_enabled=false
if systemctl --quiet is-enabled "$SERVICE" 2>/dev/null; then was_enabled=true; fi
undo_folder=$(mktemp -d)
for unit in "$SERVICE" "$RECOVER"; do
  if [ -e "$UNITS/$unit" ] || [ -L "$UNITS/$unit" ]; then cp -a "$UNITS/$unit" "$undo_folder/"; fi
  if [ -e "$UNITS/$unit.d/$DROP_IN" ]; then cp -a "$UNITS/$unit.d/$DROP_IN" "$undo_folder/$unit.conf"; fi
done
command_before=$(readlink "$COMMAND" || true)

point_to() { ln -sfn "$1" "$PROGRAM.new" && mv -T "$PROGRAM.new" "$PROGRAM"; }

touched=false
undo() {
  status=$?
  trap - EXIT
  if [ "$status" != 0 ] && [ "$touched" = true ]; then
    set +e
    say 'undoing' >&2
    systemctl stop "$SERVICE"
    if [ "$was_enabled" = false ]; then systemctl --quiet disable "$SERVICE"; fi
    for unit in "$SERVICE" "$RECOVER"; do
      if [ -e "$undo_folder/$unit" ] || [ -L "$undo_folder/$unit" ]; then cp -aT "$undo_folder/$unit" "$UNITS/$unit"
      else systemctl --quiet disable "$unit" 2>/dev/null; rm -f "$UNITS/$unit"; fi
      if [ -e "$undo_folder/$unit.conf" ]; then cp -aT "$undo_folder/$unit.conf" "$UNITS/$unit.d/$DROP_IN"
      else rm -f "$UNITS/$unit.d/$DROP_IN"; rmdir "$UNITS/$unit.d" 2>/dev/null; fi
    done
    if [ -n "$command_before" ]; then ln -sfn "$command_before" "$COMMAND"
    elif [ -L "$COMMAND" ]; then rm -f "$COMMAND"; fi
    if [ -n "$before" ]; then point_to "$before"; else rm -f "$PROGRAM"; fi
    if [ "$before" != "$(basename "$new")" ]; then rm -rf "$new"; fi
    systemctl daemon-reload
    systemctl reset-failed "$SERVICE" 2>/dev/null
    if [ "$was_active" = true ]; then systemctl start "$SERVICE" && say 'what ran before runs again' >&2; fi
    flush
  fi
  rm -rf "$undo_folder" "$HOME_FOLDER"/.program.new
  exit "$status"
}
trap undo EXIT
trap 'exit 1' HUP INT TERM

# Copied beside and renamed: a program folder is there wholly or not at all. A damaged one is replaced.
same() { [ -e "$new/SHA256SUMS" ] && cmp -s SHA256SUMS "$new/SHA256SUMS" && (cd "$new" && sha256sum --check --quiet --strict program.sha256 >/dev/null 2>&1); }
mkdir -p "$HOME_FOLDER" "$WORK" "$CONFIG/keys"
fresh=false
if ! same; then
  fresh=true
  rm -rf "$HOME_FOLDER/.program.new"
  cp -a program "$HOME_FOLDER/.program.new"
  cp -a SHA256SUMS "$HOME_FOLDER/.program.new/SHA256SUMS"
  # The archive was unpacked by somebody, who need not be root.
  chown -R 0:0 "$HOME_FOLDER/.program.new"
  chmod -R go-w "$HOME_FOLDER/.program.new"
  sed -n 's#  program/#  #p' SHA256SUMS >"$HOME_FOLDER/.program.new/program.sha256"
fi
if [ ! -e "$CONFIG/config.json" ]; then cp config.json "$CONFIG/config.json"; fi
# What the units will read, not what this shell has set.
for unit in "$SERVICE" "$RECOVER"; do
  (cd "$WORK" && env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    "$OLDPWD/program/bin/tope-updater" unit-settings "$unit") >"$undo_folder/$unit.new" || refuse "this release cannot use $CONFIG/config.json; nothing was changed"
done
units_differ=false
for unit in "$SERVICE" "$RECOVER"; do
  cmp -s "systemd/$unit" "$UNITS/$unit" && cmp -s "$undo_folder/$unit.new" "$UNITS/$unit.d/$DROP_IN" || units_differ=true
done
flush

if [ "$fresh" = false ] && [ "$units_differ" = false ] && [ "$factory" = false ] && [ "$before" = "$(basename "$new")" ] &&
  [ "$was_active" = true ] && [ "$was_enabled" = true ]; then
  say "tope-updater $version is installed and runs already"
  exit 0
fi

touched=true
systemctl stop "$SERVICE" 2>/dev/null || true
if [ "$fresh" = true ]; then
  rm -rf "$new"
  mv -T "$HOME_FOLDER/.program.new" "$new"
fi
point_to "$(basename "$new")"
for unit in "$SERVICE" "$RECOVER"; do
  cp "systemd/$unit" "$UNITS/.$unit.new"
  chmod 644 "$UNITS/.$unit.new"
  mv -T "$UNITS/.$unit.new" "$UNITS/$unit"
  mkdir -p "$UNITS/$unit.d"
  cp "$undo_folder/$unit.new" "$UNITS/$unit.d/.$DROP_IN"
  chmod 644 "$UNITS/$unit.d/.$DROP_IN"
  mv -T "$UNITS/$unit.d/.$DROP_IN" "$UNITS/$unit.d/$DROP_IN"
done
if [ ! -e "$COMMAND" ] || [ -L "$COMMAND" ]; then mkdir -p "$(dirname "$COMMAND")" && ln -sfn "$PROGRAM/bin/tope-updater" "$COMMAND"; fi
flush
systemctl daemon-reload
systemctl --quiet enable "$SERVICE" "$RECOVER"
if [ "$factory" = true ]; then "$PROGRAM/bin/tope-updater" factory "$@"; fi
systemctl reset-failed "$SERVICE" 2>/dev/null || true
systemctl start "$SERVICE" || { journalctl --no-pager --lines=20 --unit="$SERVICE" >&2; refuse "$SERVICE did not start"; }

tries=0
until [ -n "$("$PROGRAM/bin/tope-updater" status --json 2>/dev/null || true)" ]; do
  tries=$((tries + 1))
  [ "$tries" -lt "$ANSWER_TRIES" ] || refuse "$SERVICE runs and does not answer at /progress"
  sleep 0.5
done
systemctl --quiet is-active "$SERVICE" || refuse "$SERVICE ended right after its start"

for folder in "$HOME_FOLDER"/program-*; do
  if [ "$folder" != "$new" ]; then rm -rf "$folder"; fi
done
flush
say "tope-updater $version is installed and runs"
