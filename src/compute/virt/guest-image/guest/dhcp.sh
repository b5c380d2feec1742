#!/bin/sh
# Called by udhcpc with what the DHCP server said in the environment.
case $1 in
  deconfig)
    ip -4 address flush dev "$interface"
    ip link set "$interface" up
    ;;
  bound | renew)
    [ -z "$mtu" ] || ip link set "$interface" mtu "$mtu"
    ip address replace "$ip/$mask" brd + dev "$interface"
    if [ -n "$staticroutes" ]; then
      # With classless routes (option 121) the router option must be ignored, says RFC 3442.
      set -- $staticroutes
      while [ $# -ge 2 ]; do
        if [ "$2" = 0.0.0.0 ]; then ip route replace "$1" dev "$interface"
        else ip route replace "$1" via "$2" dev "$interface"
        fi
        shift 2
      done
    else
      for gateway in $router; do ip route replace default via "$gateway" dev "$interface" && break; done
    fi
    if [ -n "$dns" ]; then
      : > /etc/resolv.conf
      [ -z "$domain" ] || echo "search $domain" >> /etc/resolv.conf
      for server in $dns; do echo "nameserver $server" >> /etc/resolv.conf; done
    fi
    ;;
esac
