#pragma once
// Backup mode of a database, across all processes of the partition.

#include "database.h"

namespace domino_sim {

struct BackupStart {
    std::uint64_t id = 0;
    std::uint64_t startBytes = 0;
};

/** Waits for the running transaction, syncs, marks the image and starts recording. Throws StatusError. */
BackupStart startBackup(Database& database);

/** Ends recording and removes the marker from the live file. */
void stopBackup(Database& database, std::uint64_t id);

/**
 * Throws StatusError unless this backup is in progress and was not aborted; with `mustBeStopped`, also unless it was
 * stopped.
 */
void requireBackup(Database& database, std::uint64_t id, bool mustBeStopped);

void setHighWaterMark(Database& database, std::uint64_t id, std::uint64_t mark);

/** Forgets the backup in any state. Returns false if there is none with this id. */
bool releaseBackup(Database& database, std::uint64_t id);

/** BACKUPEND_ABORT without a context of the caller's own; SIM_FOREIGN_ABORT decides what it does. */
void releaseForeignBackup(Database& database);

/** The owner closed its handle without ending the backup. */
void abandonBackup(Database& database, std::uint64_t id);

/** Refuses maintenance of a database in backup, if the settings say so. Call with the state lock held. */
void requireMaintenanceAllowed(const Environment& environment, const Slot& slot);

}  // namespace domino_sim
