#pragma once
// Media recovery: rolls copies forward with the transaction log.

#include <functional>
#include <string>
#include <vector>

#include "database.h"

namespace domino_sim {

struct RecoveryOptions {
    bool waitsForOthers = false;
    bool zapsInstanceId = false;
    bool zapsInstanceIdIfNecessary = false;
    bool zapsReplicaId = false;
    bool staysBackup = false;
    bool usesAlternatePath = false;
    const TimeDate* until = nullptr;  // only commits before this time
    /** Restores an archived extent to this path; non-zero means failure. Empty if there is no archive. */
    std::function<Status(const Unid& logId, std::uint32_t extent, const std::string& path)> restoreExtent;
    /** Called for every applied transaction; non-zero stops the recovery. */
    std::function<Status(const std::string& path, std::uint32_t page, const TimeDate& committed)> applied;
};

struct RecoveryResult {
    Status status = kNoError;
    std::uint16_t failedDatabase = 0;  // 1-based; 0 = cannot be attributed
    TimeDate lastApplied{};
};

/** Rolls all databases forward in one scan of the log. `paths` are UTF-8. */
RecoveryResult recoverDatabases(Environment& environment, const std::vector<std::string>& paths,
                                const RecoveryOptions& options);

}  // namespace domino_sim
