# Sourced by the boot script: who this server is, from a config drive or from the metadata service.
# Sets metadata_source, instance_id and user_data for the final line.
metadata_source=none
instance_id=
user_data=none
name=
password=
ec2_only=
metadata=/run/metadata
service=http://169.254.169.254
mkdir -p "$metadata"

# Not -T: the wget of Debian 12 crashes with it.
fetch() { timeout 5 wget -q -O "$2" "$service/$1" 2> /dev/null; }

read_config_drive() {
  drive=$(findfs LABEL=config-2 2> /dev/null) || drive=$(findfs LABEL=CONFIG-2 2> /dev/null) || return 1
  modprobe -a isofs vfat nls_cp437 nls_ascii 2> /dev/null
  mount -o ro "$drive" /mnt 2> /dev/null || return 1
  for name in meta_data.json user_data network_data.json; do
    if [ -f "/mnt/openstack/latest/$name" ]; then cp "/mnt/openstack/latest/$name" "$metadata/$name"; fi
  done
  umount /mnt
  [ -s "$metadata/meta_data.json" ]
}

# The service may need a moment longer than the address.
read_service() {
  [ -n "$address" ] || return 1
  tries=0
  until fetch openstack/latest/meta_data.json "$metadata/meta_data.json"; do
    # A service that has only the EC2 tree is one as well.
    if fetch latest/meta-data/instance-id "$metadata/instance-id"; then
      ec2_only=yes
      return 0
    fi
    tries=$((tries + 1))
    [ "$tries" -lt 60 ] || return 1
    sleep 1
  done
  fetch openstack/latest/user_data "$metadata/user_data" || rm -f "$metadata/user_data"
  fetch latest/meta-data/instance-id "$metadata/instance-id" && say "EC2 instance id $(cat "$metadata/instance-id")"
}

if read_config_drive; then metadata_source=config-drive
elif read_service; then metadata_source=http
else say 'no config drive and no metadata service'
fi

: > "$metadata/keys"
if [ -s "$metadata/meta_data.json" ]; then
  awk -f /etc/json.awk "$metadata/meta_data.json" > "$metadata/flat"
  value() { awk -F '\t' -v path="$1" '$1 == path { print $2; exit }' "$metadata/flat"; }
  instance_id=$(value uuid)
  name=$(value hostname)
  password=$(value admin_pass)
  awk -F '\t' 'index($1, "public_keys.") == 1 { print $2 }' "$metadata/flat" > "$metadata/keys"
elif [ -n "$ec2_only" ]; then
  instance_id=$(cat "$metadata/instance-id")
  fetch latest/meta-data/local-hostname "$metadata/hostname" && name=$(cat "$metadata/hostname")
  fetch latest/meta-data/public-keys/0/openssh-key "$metadata/keys"
  fetch latest/user-data "$metadata/user_data" || rm -f "$metadata/user_data"
fi

if [ -n "$name" ]; then
  echo "${name%%.*}" > /etc/hostname
  hostname -F /etc/hostname
  printf '127.0.0.1 localhost\n127.0.1.1 %s %s\n::1 localhost\n' "$name" "${name%%.*}" > /etc/hosts
fi

if [ -s "$metadata/keys" ]; then
  for home in /root /home/kilonova /home/cirros; do
    mkdir -p "$home/.ssh"
    chmod 700 "$home/.ssh"
    cp "$metadata/keys" "$home/.ssh/authorized_keys"
    chmod 600 "$home/.ssh/authorized_keys"
  done
  say "$(wc -l < "$metadata/keys") ssh key(s) for root, kilonova and cirros"
fi

# Once for each server: a reboot must not undo a password that was changed, nor run a script again.
if [ -n "$instance_id" ] && [ "$(cat /var/lib/kilonova/instance-id 2> /dev/null)" != "$instance_id" ]; then
  if [ -n "$password" ]; then
    printf '%s:%s\n' root "$password" kilonova "$password" cirros "$password" | chpasswd > /dev/null 2>&1
  fi
  if [ -s "$metadata/user_data" ]; then
    if [ "$(head -c 2 "$metadata/user_data")" = '#!' ]; then
      cp "$metadata/user_data" /var/lib/kilonova/user-data
      chmod 700 /var/lib/kilonova/user-data
      say 'running the user data'
      /var/lib/kilonova/user-data
      user_data="exit-$?"
      say "the user data ended with exit code ${user_data#exit-}"
    else
      user_data=ignored
      say 'the user data are no script (#!) and are left alone'
    fi
  fi
  echo "$instance_id" > /var/lib/kilonova/instance-id
  # A server that is reset right now has had its first start all the same.
  sync
elif [ -n "$instance_id" ]; then
  user_data=done-before
fi
