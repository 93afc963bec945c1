#!/bin/sh
# Holds the databases in backup mode while a command takes a snapshot:
#
#   around-snapshot.sh lvcreate --snapshot --name domino --size 5G vg/data
#   around-snapshot.sh zfs snapshot -r tank/domino@backup
#
# The settings are those of snapshot-hook.sh. The exit code is that of the command if it fails, else that of the release.
set -eu
. "${DOMINO_VSS_CONF:-/etc/domino-vss.conf}"

# Both are lists of words.
$DOMINO_VSS hold --delta-dir "$DELTA_DIR" ${HOLD_OPTIONS:-}
trap '$DOMINO_VSS release --failed --delta-dir "$DELTA_DIR"' EXIT
trap 'exit 130' HUP INT TERM
"$@"
trap - EXIT HUP INT TERM
exec $DOMINO_VSS release --delta-dir "$DELTA_DIR"
