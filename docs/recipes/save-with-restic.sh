#!/bin/sh
# For "domino-vss backup run --exec": saves the databases in the shadow with restic. RESTIC_REPOSITORY and RESTIC_PASSWORD_FILE
# name the target, as usual with restic.
set -eu
exec restic backup --quiet --tag "$DOMINO_VSS_BACKUP_ID" --files-from-raw "$DOMINO_VSS_FILES"
