#!/bin/sh
# The units as systemd reads them: no mistake in them, and an exposure of at most 1.2 (catalogue row
# O-05). check_units.sh DIRECTORY BINARY
set -eu
units=$1
binary=$2
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT

# verify wants the program to exist where the unit says it is.
for unit in entrepot.service entrepot.socket; do
  sed "s|/usr/bin/entrepot|$binary|" "$units/$unit" > "$place/$unit"
done
systemd-analyze verify --recursive-errors=no --man=no "$place/entrepot.service" "$place/entrepot.socket"
systemd-analyze security --offline=true --threshold=12 "$place/entrepot.service" > "$place/report" || {
  cat "$place/report"
  exit 1
}
tail -n 1 "$place/report"

# The files for systemd-sysusers and systemd-tmpfiles are read by their own programs, against a root
# of their own.
mkdir -p "$place/root/etc"
systemd-sysusers --root="$place/root" - < "$units/entrepot.sysusers"
grep -q '^entrepot:' "$place/root/etc/passwd"
systemd-tmpfiles --create --root="$place/root" - < "$units/entrepot.tmpfiles"
test -d "$place/root/etc/entrepot"
