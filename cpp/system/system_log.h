#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace domino_vss {

/// An entry for the system's log.
struct SystemLogEntry {
    enum class Severity : std::uint8_t { error, warning };
    Severity severity = Severity::error;
    std::string message;  ///< UTF-8
    /// Names consist of capital letters, digits and underscores. The systemd journal stores them as fields; in the
    /// Windows event log they are lines after the message.
    std::vector<std::pair<std::string, std::string>> fields;
};

/// Writes an entry to the systemd journal or the Windows application log, under the name `domino-vss`. Throws Failure
/// ERR_FILE_SYSTEM. On Linux it never waits: if the journal cannot accept the entry now, it fails. `place` is the
/// socket of the journal; ignored on Windows.
void writeSystemLog(const SystemLogEntry& entry, const std::string& place = {});

}  // namespace domino_vss
