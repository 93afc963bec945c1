#!/bin/sh
# Called by a guest agent or a backup server before and after its snapshot. It knows what to do by its argument (freeze, thaw,
# freezeFail) or, called without one of these, by its name (pre-… or post-…). One file serves all; make links for the other names.
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

# Whatever the exit code is, the caller gets it: another one than 0 means that the snapshot is no backup.
if [ "$verb" = freeze ]; then
  # Both are lists of words.
  exec $DOMINO_VSS freeze --delta-dir "$DELTA_DIR" ${HOLD_OPTIONS:-}
fi
exec $DOMINO_VSS "$verb" --delta-dir "$DELTA_DIR"
