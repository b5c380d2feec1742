#!/bin/bash
# The first process of a lab's host, in namespaces made for it: gives the host a file system of its own, then stays
# to take in orphans. What it mounts is seen by nobody else and goes with it.
# Usage: host-root.sh DIRECTORY NAME PROGRAM NODE
#   DIRECTORY  holds the host's own files: etc, var, root, tmp
#   PROGRAM    directory of this program, which the host has at /run/lab/program: its users need not reach it here
#   NODE       the Node to run it with, below PROGRAM
set -eu
cd "$1"
name=$2
program=$3
node=$4

# Sources are given relative to here, and not made absolute: the path that leads here may soon lead elsewhere.
over() { mount --no-canonicalize --rbind "./$1" "$2"; }

mkdir -p stage dev var/lib/dpkg var/lib/systemd
mount --bind "$program" ./stage
# Packages belong to the machine: the host may ask what is installed, and install nothing.
mount --bind /var/lib/dpkg ./var/lib/dpkg
mount --no-canonicalize -o remount,bind,ro ./var/lib/dpkg

# A /dev of the things every host has; no KVM, so that libvirt loses no time with one that cannot work.
mount -t tmpfs -o mode=0755 none ./dev
mkdir ./dev/net ./dev/pts ./dev/shm
for device in null zero full random urandom tty net/tun vhost-net; do
  [ -e "/dev/$device" ] || continue
  : > "./dev/$device"
  mount --bind "/dev/$device" "./dev/$device"
done
mount -t devpts -o newinstance,ptmxmode=0666,mode=0620,gid=5 none ./dev/pts
mount -t tmpfs -o mode=1777 none ./dev/shm
ln -s pts/ptmx ./dev/ptmx
ln -s /proc/self/fd ./dev/fd
ln -s fd/0 ./dev/stdin
ln -s fd/1 ./dev/stdout
ln -s fd/2 ./dev/stderr

for directory in dev etc root tmp var; do over "$directory" "/$directory"; done
mount -o remount,bind,ro /
mount -t tmpfs -o mode=0755 none /run
mkdir -p /run/lab/bin /run/lab/units /run/lab/program /run/lock /run/netns
mount -t proc none /proc
mount -t sysfs none /sys
mount --no-canonicalize --rbind ./stage /run/lab/program
mount -o remount,bind,ro /run/lab/program

echo "$name" > /proc/sys/kernel/hostname
ip link set lo up
shopt -s nullglob
home=/run/lab/program
ln -s $home/kilonova $home/bin/* /run/lab/bin/
ln -s "$home/${node#"$program/"}" /run/lab/bin/node
cat > /run/lab/bin/systemctl << END
#!/bin/sh
exec /run/lab/bin/node --disable-warning=ExperimentalWarning $home/src/cli/lab/systemctl/main.ts "\$@"
END
# What a service says by sd_notify(3) goes to the one that supervises it; systemd's own command may not be there.
cat > /run/lab/bin/systemd-notify << 'END'
#!/bin/sh
printf '%s\n' "$@" | sed 's/^--ready$/READY=1/' | socat -u - "UNIX-SENDTO:$NOTIFY_SOCKET"
END
chmod 0755 /run/lab/bin/systemctl /run/lab/bin/systemd-notify
cd /
: > /run/lab/ready

# Bash reaps whatever ends here, also what it did not start.
while true; do
  sleep 2147483647 &
  wait $! || true
done
