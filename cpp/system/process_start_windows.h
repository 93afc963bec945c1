#pragma once

#include <cstdint>
#include <string>

namespace domino_vss {

/// The process exists, but this user may not query it.
inline constexpr const char* kUnknownStart = "unknown";

/// The start time of a process, as a number; empty if there is none with this id. Windows reuses the ids of ended
/// processes within seconds. Windows only: on Linux, JavaScript reads it from /proc.
[[nodiscard]] std::string processStart(std::uint32_t processId);

}  // namespace domino_vss
