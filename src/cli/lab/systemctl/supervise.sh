#!/bin/bash
# Runs a unit's main process and starts it again when the unit says so. One of these per running unit.
# Usage: supervise.sh STATE LOG RESTART SECONDS KILLMODE notify|plain -- COMMAND...
#   STATE     directory: supervisor.pid, main.pid; `stopping` in it says that the end is wanted; `notified` what was told
set -u
state=$1 log=$2 restart=$3 seconds=$4 killmode=$5 kind=$6
shift 7
exec < /dev/null >> "$log" 2>&1
echo $$ > "$state/supervisor.pid"

listener=
if [ "$kind" = notify ]; then
  rm -f "$state/notify"
  socat -u "UNIX-RECV:$state/notify,mode=0666" "OPEN:$state/notified,creat,append" &
  listener=$!
fi

while true; do
  # Not a group's leader, so setsid keeps the pid, and so does all that the command line is made of.
  setsid "$@" &
  main=$!
  echo "$main" > "$state/main.new"
  mv "$state/main.new" "$state/main.pid"
  wait "$main"
  code=$?
  rm -f "$state/main.pid"
  if [ "$killmode" != process ]; then kill -KILL -- "-$main" 2> /dev/null; fi
  if [ -e "$state/stopping" ]; then break; fi
  # 129, 130, 141, 143: ended by HUP, INT, PIPE, TERM, which is no failure.
  case "$restart $code" in
    always\ *) ;;
    on-failure\ 0 | on-failure\ 129 | on-failure\ 130 | on-failure\ 141 | on-failure\ 143) break ;;
    on-failure\ * | on-abnormal\ * | on-abort\ *) ;;
    *) break ;;
  esac
  echo "main process ended with status $code; it is started again in $seconds s"
  sleep "$seconds"
  if [ -e "$state/stopping" ]; then break; fi
done
echo "${code:-0}" > "$state/code"
if [ -n "$listener" ]; then kill "$listener" 2> /dev/null; fi
rm -f "$state/supervisor.pid"
