#pragma once

#include <cstdint>
#include <string>

#include "domino/c_api.h"

namespace domino_vss::domino {

/// Proves that this process shares memory with the live server. If it does not, the backup calls succeed but record
/// none of the server's writes, so every backup is useless.
///
/// Creates a database through the server, puts it into backup mode in this process, writes to it through the server,
/// and checks for change information; then deletes it. The thread must have entered the runtime. Throws Failure.
/// Returns the number of bytes of change information.
[[nodiscard]] std::uint64_t runCanary(const Api& api, const std::string& serverName, const std::string& database);

}  // namespace domino_vss::domino
