#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "domino/c_api.h"
#include "system/failure.h"

namespace domino_vss::domino {

/// What happened to a database that a dead process may have left in backup mode.
enum class AbandonedState : std::uint8_t { none = 0, ended = 1, left = 2 };

struct AbandonedBackups {
    /// The AbandonedState of each database.
    std::vector<std::uint8_t> states;
    /// Index and reason for each database that is still in backup mode.
    std::vector<std::pair<std::uint32_t, Failure>> failures;
};

/// Ends the backups of these databases. Call it only when no living process can own them: the API does not say whose
/// backup it is. The calling thread must have entered the runtime.
[[nodiscard]] AbandonedBackups endAbandonedBackups(const Api& api, const std::vector<std::string>& paths);

}  // namespace domino_vss::domino
