#pragma once

#include <cstdint>
#include <string>

namespace domino_vss {

/// There is such a process, of somebody into whose processes this user may not look.
inline constexpr const char* kUnknownStart = "unknown";

/// When a process was started, as a number; empty when there is none with this id. Windows gives the ids of ended
/// processes to new ones within seconds. Windows only: elsewhere JavaScript can read it from /proc.
[[nodiscard]] std::string processStart(std::uint32_t processId);

}  // namespace domino_vss
