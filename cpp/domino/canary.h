#pragma once

#include <cstdint>
#include <string>

#include "domino/c_api.h"

namespace domino_vss::domino {

/// Proof that this process shares memory with the live server. If it does not, the backup calls succeed all the same
/// but record nothing of what the server writes, and every backup is worthless.
///
/// A database is created through the server, put into backup mode here, written to through the server; change info must
/// appear. The database is deleted again. The thread must belong to the runtime. Throws Failure.
/// Returns the bytes of change info.
[[nodiscard]] std::uint64_t runCanary(const Api& api, const std::string& serverName, const std::string& database);

}  // namespace domino_vss::domino
