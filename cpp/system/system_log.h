#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace domino_vss {

/// What the log of the system is told.
struct SystemLogEntry {
    enum class Severity : std::uint8_t { error, warning };
    Severity severity = Severity::error;
    std::string message;  ///< UTF-8
    /// Names of capital letters, digits and underscores. The journal of systemd keeps them apart; the event log of
    /// Windows has them as lines behind the message.
    std::vector<std::pair<std::string, std::string>> fields;
};

/// Writes an entry to the journal of systemd or to the application log of Windows, under the name `domino-vss`. Throws
/// Failure ERR_FILE_SYSTEM. On Linux it never waits: a journal that takes nothing just now is a failure. `place` is the
/// socket of the journal, and has no meaning on Windows.
void writeSystemLog(const SystemLogEntry& entry, const std::string& place = {});

}  // namespace domino_vss
