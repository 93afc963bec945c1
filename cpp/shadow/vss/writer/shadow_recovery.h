#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "system/failure.h"

namespace domino_vss::vss {

/// A database in a shadow, and its change information.
struct DatabaseInShadow {
    std::size_t shadow = 0;  ///< index into the shadows
    std::string path;        ///< inside the shadow
    std::string deltaFile;   ///< empty if it has no change information
    std::uint64_t startSizeBytes = 0;
    std::uint64_t announcedBytes = 0;
    std::vector<std::uint32_t> irregularPieces;
};

/// Applies the change information to `file`. Called on threads of its own; enters Domino's runtime itself. Throws
/// Failure.
using ApplyChanges = std::function<void(const std::string& file, const DatabaseInShadow& database)>;

struct ShadowRecoveryOptions {
    /// Where each shadow can be opened, without a separator at the end; empty for a volume without one.
    std::vector<std::string> shadows;
    /// Where a shadow gets an ordinary path if Domino refuses that of its device.
    std::string linkDirectory;
    ApplyChanges apply;
    std::uint16_t threads = 4;
    /// Longest time for one database.
    std::chrono::milliseconds databaseBudget{10'000};
    /// Longest time for all.
    std::chrono::milliseconds timeout{300'000};
    std::stop_token stop;
};

/// Completes databases in shadows: cuts each to the size it had at NSFBackupStart and applies its change information.
/// Returns what has failed for each; nullopt if it is whole. Waits for no call that hangs.
[[nodiscard]] std::vector<std::optional<Failure>> recoverInShadows(ShadowRecoveryOptions options,
                                                                   std::vector<DatabaseInShadow> databases);

}  // namespace domino_vss::vss
