#!/bin/sh
# group.sh ARG…: git ARG… in a process group of its own, so that it can be killed with its children (git-remote-http).
# The group dies with SIGINT or SIGTERM to this shell, and when standard input ends: that is a pipe of the agent, so
# an agent that dies, however, leaves no git behind. LATEEN_FILE_BLOCKS: largest file in blocks of 512 bytes.
if [ -z "$LATEEN_GROUP" ]; then
  LATEEN_GROUP=own
  export LATEEN_GROUP
  command -v setsid >/dev/null 2>&1 && exec setsid /bin/sh "$0" "$@"
  # macOS has no setsid program.
  exec perl -e 'use POSIX (); POSIX::setsid(); exec @ARGV; exit 127' /bin/sh "$0" "$@"
fi
unset LATEEN_GROUP
if [ -n "$LATEEN_FILE_BLOCKS" ]; then
  ulimit -f "$LATEEN_FILE_BLOCKS"
  # Ignored, git says "File too large" instead of dying without a word.
  trap '' XFSZ
fi
trap 'kill -KILL 0' INT TERM HUP
exec 3<&0
(
  read -r _ <&3
  kill -KILL 0
) >/dev/null 2>&1 </dev/null &
watcher=$!
git "$@" 3<&- </dev/null &
wait $!
status=$?
kill -KILL "$watcher"
exit "$status"
