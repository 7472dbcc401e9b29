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

# show NAME: what this machine has there.
show() {
  if [ -L "/$1" ]; then
    cp -P "/$1" "$root/$1"
  elif [ -d "/$1" ]; then
    mkdir "$root/$1"
    mount --bind "/$1" "$root/$1"
    read_only "$root/$1"
  elif [ -f "/$1" ]; then
    : >"$root/$1"
    mount --bind "/$1" "$root/$1"
    read_only "$root/$1"
  fi
}

mount -t tmpfs -o mode=755 tmpfs "$root"
for name in usr bin sbin lib lib64; do show "$name"; done
# Not all of /etc: something may be mounted in it.
mkdir "$root/etc"
for name in group nsswitch.conf hosts resolv.conf ssl ca-certificates ssh ld.so.cache ld.so.conf ld.so.conf.d alternatives localtime; do
  show "etc/$name"
done
mount --bind "$usr_local" "$root/usr/local"
read_only "$root/usr/local"
cp "$passwd" "$root/etc/passwd"
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
