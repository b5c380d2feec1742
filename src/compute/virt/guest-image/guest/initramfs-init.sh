#!/bin/busybox sh
# The first program: loads the disk's drivers and goes on from the partition labelled "kilonova".
/bin/busybox mount -t devtmpfs dev /dev
for module in /modules/*.ko; do /bin/busybox insmod "$module"; done
tries=0
until disk=$(/bin/busybox findfs LABEL=kilonova 2> /dev/null); do
  tries=$((tries + 1))
  if [ "$tries" = 100 ]; then
    echo 'kilonova-guest: no disk with the partition "kilonova" was found; this image starts from virtio disks only'
    /bin/busybox sleep 5
    /bin/busybox poweroff -f
  fi
  /bin/busybox usleep 50000
done
/bin/busybox mount -t ext4 "$disk" /root
/bin/busybox mount --move /dev /root/dev
exec /bin/busybox switch_root /root /sbin/init
