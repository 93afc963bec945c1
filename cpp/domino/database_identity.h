#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "domino/c_api.h"
#include "engine/database.h"

namespace domino_vss::domino {

/// The database that is at a path now, as the transaction log identifies it.
struct DatabaseIdentity {
    std::array<std::uint8_t, 8> replicaId{};
    engine::LogInfo log;
    engine::ModifiedTimes modified{};
};

struct DatabaseIdentities {
    std::vector<DatabaseIdentity> databases;  ///< one per path; all zero after a failure
    std::vector<std::pair<std::uint32_t, Failure>> failures;
};

/// Opens and closes each database; a failure does not affect the others. The thread must have entered the runtime.
/// Never use it on a copy before its recovery: opening makes a copy useless for roll-forward.
[[nodiscard]] DatabaseIdentities readIdentities(const Api& api, const std::vector<std::string>& paths);

}  // namespace domino_vss::domino
