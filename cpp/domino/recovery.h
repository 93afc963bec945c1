#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "domino/archived_extents.h"
#include "domino/c_api.h"

namespace domino_vss::domino {

// Steps of a restore. File names are full paths in UTF-8. The thread must have entered the runtime. All functions throw
// Failure.

/// The server releases the database; the file stays. Waits up to `wait` while the database is in use.
void takeDatabaseOffline(const Api& api, const std::string& file, std::chrono::milliseconds wait);
void bringDatabaseOnline(const Api& api, const std::string& file);

struct RecoverOptions {
    std::vector<std::string> files;
    bool newDbiid = false;
    bool newReplicaId = false;
    /// Applies transactions committed before this time. The databases get new instance ids (DBIID).
    std::optional<TIMEDATE> pointInTime;
    /// For archive-style logging: extents that may no longer be in the log directory.
    std::vector<ArchivedExtent> extents;
    std::vector<LogArchiveDirectory> logArchives;
};

/// Rolls logged copies forward, all in one scan of the log. The subject of a failure is the file that failed. Returns
/// the time of the last transaction applied to any of them; zeros if Domino does not report it.
[[nodiscard]] TIMEDATE recoverDatabases(const Api& api, const RecoverOptions& options);

}  // namespace domino_vss::domino
