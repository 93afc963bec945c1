#!/bin/sh
# Called by a guest agent or a backup server before and after its snapshot. Its argument (freeze, thaw, freezeFail) or, without
# one of these, its name (pre-… or post-…) says what to do. One file serves all; make links for the other names.
#
# Settings, in /etc/domino-vss.conf or the file that DOMINO_VSS_CONF names, which only root may write:
#   DOMINO_VSS="domino-vss"              the program, with the Node.js it needs
#   DELTA_DIR="/backup/domino"           on no file system that is frozen
#   HOLD_OPTIONS="--max-hold 120"        more options of "hold"
set -eu
. "${DOMINO_VSS_CONF:-/etc/domino-vss.conf}"

case "${1:-}" in
  freeze | thaw | freezeFail) verb=$1 ;;
  *)
    case "${0##*/}" in
      pre-* | pre.*) verb=freeze ;;
      post-* | post.*) verb=thaw ;;
      *)
        echo "$0: neither its argument nor its name says what to do" >&2
        exit 2
        ;;
    esac
    ;;
esac

# The caller gets the exit code: any other than 0 means that the snapshot is not a backup.
if [ "$verb" = freeze ]; then
  # Both are lists of words.
  exec $DOMINO_VSS freeze --delta-dir "$DELTA_DIR" ${HOLD_OPTIONS:-}
fi
exec $DOMINO_VSS "$verb" --delta-dir "$DELTA_DIR"
