#!/bin/sh
# sandbox.sh ROOT USR_LOCAL READONLY PASSWD (SOURCE TARGET MODE)… -- COMMAND…: the command in a file tree of its own, in a user
# and mount namespace that the caller has made: what a base image brings is this machine's (/usr, /etc, …), /usr/local is that
# of the image, and each SOURCE is mounted at its TARGET, `ro` or `rw`. Then every capability is given up.
set -e
root=$1 usr_local=$2 readonly_root=$3 passwd=$4
shift 4

# Inside a user namespace flags that a mount has may not be taken away.
read_only() {
  mount -o remount,bind,ro "$1" 2>/dev/null || mount -o remount,bind,ro,nosuid,nodev "$1" 2>/dev/null ||
    mount -o remount,bind,ro,nosuid,nodev,noexec "$1"
}

mount -t tmpfs -o mode=755 tmpfs "$root"
for name in usr bin sbin lib lib64 etc; do
  if [ -L "/$name" ]; then
    cp -P "/$name" "$root/$name"
  elif [ -d "/$name" ]; then
    mkdir "$root/$name"
    mount --bind "/$name" "$root/$name"
    read_only "$root/$name"
  fi
done
mount --bind "$usr_local" "$root/usr/local"
read_only "$root/usr/local"
mount --bind "$passwd" "$root/etc/passwd"
mkdir "$root/proc" "$root/dev"
mount --rbind /proc "$root/proc"
mount --rbind /dev "$root/dev"
while [ "$1" != -- ]; do
  mkdir -p "$root/$2"
  mount --bind "$1" "$root/$2"
  [ "$3" = rw ] || read_only "$root/$2"
  shift 3
done
shift
[ "$readonly_root" = no ] || mount -o remount,ro "$root"
exec chroot "$root" setpriv --no-new-privs --inh-caps=-all --ambient-caps=-all --bounding-set=-all -- "$@"
