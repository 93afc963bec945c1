#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "domino/c_api.h"
#include "system/failure.h"

namespace domino_vss::domino {

/// What became of one database that a dead process may have left in backup mode.
enum class AbandonedState : std::uint8_t { none = 0, ended = 1, left = 2 };

struct AbandonedBackups {
    /// AbandonedState of each database.
    std::vector<std::uint8_t> states;
    /// Index and reason of each that is left.
    std::vector<std::pair<std::uint32_t, Failure>> failures;
};

/// Ends the backups of these databases, which nobody may hold that lives: whose backup it is, the API does not tell.
/// The calling thread belongs to the runtime.
[[nodiscard]] AbandonedBackups endAbandonedBackups(const Api& api, const std::vector<std::string>& paths);

}  // namespace domino_vss::domino
