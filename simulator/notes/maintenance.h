#pragma once
// Compact and fixup, as far as a backup program can notice them.

#include "database.h"

namespace domino_sim {

/**
 * In-place compact: keeps the instance id. NSFBackupStart returns 0x13AA for `durationMs`, or until it is ended if 0.
 */
void beginCompactInPlace(Database& database, std::int64_t durationMs);
void endCompactInPlace(Database& database);

/** Copy-style compact: a new file with a new instance id. Throws StatusError(kDatabaseInUse) if others have it open. */
void compactByCopy(Environment& environment, const ResolvedPath& path);

/** Forced fixup (-j): a logged database gets a new instance id. */
void forceFixup(Database& database);

}  // namespace domino_sim
