#!/bin/sh
# What happens between the kernel and the login prompt. Each step says so on the serial console.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
say() { echo "kilonova-guest: $*"; }

mount -t proc proc /proc
mount -t sysfs sys /sys
mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs run /run
mount -t tmpfs tmp /tmp
ln -sf /proc/self/fd /dev/fd
say "started, kernel $(uname -r), $(cut -d ' ' -f 1 /proc/uptime) s after power-on"

# The power button first: a guest must be able to go off while it still waits for its network.
modprobe -a button evdev virtio_rng virtio_net
acpid -l /run/acpid.log -p /run/acpid.pid
hostname -F /etc/hostname
ip link set lo up

# Every port asks for its address; the first one is waited for. Questions may be lost while the host still connects
# the port, so they are repeated every second, and udhcpc goes on asking in the background when that was in vain.
ask() { udhcpc -i "$1" -s /etc/dhcp.sh -p "/run/udhcpc.$1.pid" -O staticroutes -O mtu -t 10 -T 1 -A 5 "$2" > /dev/null; }
first=
for device in /sys/class/net/eth*; do
  [ -e "$device" ] || continue
  port=${device##*/}
  ip link set "$port" up
  if [ -z "$first" ]; then
    first=$port
    ask "$port" -n || ask "$port" -n || ask "$port" -n || ask "$port" -b
  else
    ask "$port" -b &
  fi
done
address=$(ip -4 -o address show dev "${first:-lo}" scope global 2> /dev/null | awk '{ sub("/.*", "", $4); print $4; exit }')
if [ -z "$first" ]; then say 'this server has no network port'
elif [ -z "$address" ]; then say "$first got no address by DHCP; it goes on asking"
else say "$first has the address $address"
fi

# One key of the kind that is made fastest; it is the server's own, so it is made at its first start.
if [ ! -s /etc/dropbear/dropbear_ed25519_host_key ]; then
  dropbearkey -t ed25519 -f /etc/dropbear/dropbear_ed25519_host_key > /run/hostkey 2>&1
  say "ssh host key $(grep Fingerprint /run/hostkey)"
fi
dropbear -s -r /etc/dropbear/dropbear_ed25519_host_key -P /run/dropbear.pid

. /etc/init.d/metadata

echo "KILONOVA-GUEST-READY ip=${address:-none} instance-id=${instance_id:-none} hostname=$(hostname) metadata=$metadata_source user-data=$user_data uptime=$(cut -d ' ' -f 1 /proc/uptime)"
