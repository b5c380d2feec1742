#!/bin/sh
# Every user of this image is root already; this only lets commands written for others run.
while [ "${1#-}" != "$1" ]; do
  case $1 in
    -u | -g) shift 2 ;;
    --) shift; break ;;
    *) shift ;;
  esac
done
exec "$@"
