#!/bin/sh
# Goes off at once but in order; with -r starts again instead. acpid runs this when the power button is pressed.
echo "kilonova-guest: shutting down" > /dev/console
kill -TERM -1
usleep 200000
sync
mount -o remount,ro /
if [ "$1" = -r ]; then reboot -f; else poweroff -f; fi
