#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "domino/c_api.h"
#include "engine/database.h"

namespace domino_vss::domino {

/// Which database stands at a path now, as far as the transaction log is concerned.
struct DatabaseIdentity {
    std::array<std::uint8_t, 8> replicaId{};
    engine::LogInfo log;
    engine::ModifiedTimes modified{};
};

struct DatabaseIdentities {
    std::vector<DatabaseIdentity> databases;  ///< one a path; all zero where it failed
    std::vector<std::pair<std::uint32_t, Failure>> failures;
};

/// Opens each database and closes it again; one that refuses leaves the others alone. The thread must belong to the
/// runtime. Never to be used on a copy before its recovery: opening spoils that.
[[nodiscard]] DatabaseIdentities readIdentities(const Api& api, const std::vector<std::string>& paths);

}  // namespace domino_vss::domino
