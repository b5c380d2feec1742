#!/bin/sh
# Starts virtlogd and libvirtd with directories of their own. Runs inside a mount namespace made for it, so that the
# fixed paths of the system-wide QEMU driver lead into the state directory and nothing outside sees these mounts.
# Usage: private-daemons.sh DIRECTORY hide-kvm|keep-kvm
set -eu
directory=$1
kvm=$2

for pair in etc:/etc/libvirt lib:/var/lib/libvirt run:/run/libvirt log:/var/log/libvirt cache:/var/cache/libvirt; do
  mine=$directory/${pair%%:*}
  fixed=${pair#*:}
  mkdir -p "$mine"
  if [ ! -d "$fixed" ]; then
    mkdir -p "$fixed"
    # `stopLibvirt` removes what was made here.
    echo "$fixed" >> "$directory/made-directories"
  fi
  mount --bind "$mine" "$fixed"
done

# libvirtd looks up the user that its package was built for even where qemu.conf names another, and will not start
# without one. The package that makes that user would start a libvirtd of the system as well.
for pair in 'passwd:libvirt-qemu:x:65534:65534::/nonexistent:/usr/sbin/nologin' 'group:libvirt-qemu:x:65534:'; do
  file=${pair%%:*}
  if grep -q '^libvirt-qemu:' "/etc/$file"; then continue; fi
  { cat "/etc/$file"; echo "${pair#*:}"; } > "$directory/$file"
  mount --bind "$directory/$file" "/etc/$file"
done

# An empty read-only file hides what is below it: libvirt tests these paths by access().
: > "$directory/hidden"
chmod 0400 "$directory/hidden"
hide() {
  mount --bind "$directory/hidden" "$1"
  mount -o remount,bind,ro "$1"
}

# A /dev/kvm that cannot work makes libvirtd probe every emulator again at every start of a guest, for seconds.
if [ "$kvm" = hide-kvm ] && [ -e /dev/kvm ]; then hide /dev/kvm; fi

# Nor are emulators of other machines wanted: probing one takes two seconds of the first start.
native=$(readlink -f "/usr/bin/qemu-system-$(uname -m)")
for emulator in /usr/bin/qemu-system-*; do
  target=$(readlink -f "$emulator")
  # Several names may lead to one program.
  if [ -x "$target" ] && [ "$target" != "$native" ]; then hide "$target"; fi
done

runs() {
  status=/proc/$(cat "$directory/run/$1.pid" 2> /dev/null || echo none)/status
  # A zombie, which has ended, still has its name.
  grep -q "^Name:[[:space:]]*$1\$" "$status" 2> /dev/null && ! grep -q '^State:[[:space:]]*Z' "$status"
}
if ! runs virtlogd; then
  virtlogd --daemon --config /etc/libvirt/virtlogd.conf --pid-file /run/libvirt/virtlogd.pid
fi
exec libvirtd --daemon --config /etc/libvirt/libvirtd.conf --pid-file /run/libvirt/libvirtd.pid
