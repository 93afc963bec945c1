#!/bin/sh
# For "domino-vss backup run --exec": saves the databases in the shadow with borg. BORG_REPO and BORG_PASSCOMMAND name the target,
# as usual with borg.
set -eu
exec borg create --paths-from-stdin --paths-delimiter '\0' "::$DOMINO_VSS_BACKUP_ID" <"$DOMINO_VSS_FILES"
