#!/bin/bash
# The first process of a lab: makes an overlay of / its root, with its own /proc, /dev, /run, /tmp and cgroups, and becomes systemd.
# Started by systemd-lab.ts in new pid, mount, uts and ipc namespaces.
# LAB_NEEDS (folders, colon-separated) names what must be seen inside even from under /tmp or another mount.
# usage: systemd-lab.sh FOLDER OVERLAY_OPTIONS NETWORK CAPABILITIES HIERARCHY=CGROUP...
set -euo pipefail
folder=$1 options=$2 network=$3 capabilities=$4
shift 4

if [ -z "${IN_LAB_CGROUPS:-}" ]; then
  for cgroup in "$@"; do echo 0 >"${cgroup#*=}/cgroup.procs"; done
  IN_LAB_CGROUPS=1 exec unshare --cgroup "$0" "$folder" "$options" "$network" "$capabilities" "$@"
fi

root=$folder/root
mount -t overlay -o "${options}lowerdir=/,upperdir=$folder/upper,workdir=$folder/work" overlay "$root"

mount -t proc proc "$root/proc"
mount --bind "$folder/boot_id" "$root/proc/sys/kernel/random/boot_id"
for guarded in sys sysrq-trigger; do
  [ -e "$root/proc/$guarded" ] || continue
  mount --rbind "$root/proc/$guarded" "$root/proc/$guarded"
  mount -o remount,bind,ro "$root/proc/$guarded"
done
if [ "$network" = private ]; then mount -t sysfs -o ro sysfs "$root/sys"
else mount --bind /sys "$root/sys" && mount -o remount,bind,ro "$root/sys"; fi

if [ "$1" = "unified=${1#*=}" ] && [ $# = 1 ]; then mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
else
  mount -t tmpfs -o mode=755 tmpfs "$root/sys/fs/cgroup"
  for cgroup in "$@"; do
    hierarchy=${cgroup%%=*}
    mkdir "$root/sys/fs/cgroup/$hierarchy"
    case $hierarchy in
      unified) mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup/unified" ;;
      systemd) mount -t cgroup -o none,name=systemd cgroup "$root/sys/fs/cgroup/systemd" ;;
      *) mount -t cgroup -o "$hierarchy" cgroup "$root/sys/fs/cgroup/$hierarchy" ;;
    esac
  done
fi

mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
IFS=: read -ra needs <<<"${LAB_NEEDS:-}"
for need in "${needs[@]}"; do
  [ -e "$root$need" ] && continue
  mkdir -p "$root$need"
  mount --bind "$need" "$root$need"
done
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts "$root/dev/pts"
while read -r name major minor; do mknod -m 666 "$root/dev/$name" c "$major" "$minor"; done <<'DEVICES'
null 1 3
zero 1 5
full 1 7
random 1 8
urandom 1 9
tty 5 0
DEVICES
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
ln -s /proc/self/fd/0 "$root/dev/stdin"
ln -s /proc/self/fd/1 "$root/dev/stdout"
ln -s /proc/self/fd/2 "$root/dev/stderr"

if [ ! -e "$folder/seeded" ]; then
  # The first boot: only what a test installs runs, none of the machine's own services.
  rm -rf "$root/etc/systemd/system" "$root/var/log/journal"
  mkdir -p "$root/etc/systemd/system" "$root/var/log/journal"
  for unit in getty.target systemd-firstboot.service; do ln -s /dev/null "$root/etc/systemd/system/$unit"; done
  touch "$folder/seeded"
fi

cd "$root"
pivot_root . .
umount -l .
cd /
mount --make-rshared /
exec env -i container=lab PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
  setpriv --bounding-set="$capabilities" \
  /lib/systemd/systemd --system --unit=multi-user.target --log-target=journal --show-status=no
