#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "domino/archived_extents.h"
#include "domino/c_api.h"

namespace domino_vss::domino {

// Steps of a restore. File names are full paths in UTF-8. The thread must belong to the runtime. All throw Failure.

/// The server lets go of the database; the file stays. Waits while it is in use.
void takeDatabaseOffline(const Api& api, const std::string& file, std::chrono::milliseconds wait);
void bringDatabaseOnline(const Api& api, const std::string& file);

struct RecoverOptions {
    std::vector<std::string> files;
    bool newDbiid = false;
    bool newReplicaId = false;
    /// Transactions that were committed before it are applied; the databases get new instance ids.
    std::optional<TIMEDATE> pointInTime;
    /// For a log of archive style: extents that Domino may have taken out of its log directory.
    std::vector<ArchivedExtent> extents;
    std::vector<LogArchiveDirectory> logArchives;
};

/// Rolls logged copies forward, all in one scan of the log. The failing file is the subject of the failure. Answers the
/// time of the last transaction that was applied to any of them; zeros when Domino tells none.
[[nodiscard]] TIMEDATE recoverDatabases(const Api& api, const RecoverOptions& options);

}  // namespace domino_vss::domino
