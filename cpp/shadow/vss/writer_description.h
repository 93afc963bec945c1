#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "shadow/vss/guid.h"

namespace domino_vss::vss {

/// How the writer describes itself to requesters. All strings are UTF-8.
struct WriterDescription {
    Guid classId;
    std::string name;
    /// Unique on the machine and the same after each start: VSS uses it to find the writer for a restore.
    std::string instanceName;
    std::uint32_t majorVersion = 0;
    std::uint32_t minorVersion = 0;
    /// The maximum time from Freeze to Thaw.
    std::uint32_t freezeTimeoutMs = 60'000;
    /// Asks for shadows that may be changed in PostSnapshot, so that the databases in them can be completed.
    bool autoRecovery = false;
};

/// Files of a component: a directory and a name pattern.
struct ComponentFiles {
    std::string directory;
    std::string pattern;
    bool recursive = false;
};

/// The kind of data in a component. Only databases are put into backup mode.
enum class ComponentKind : std::uint8_t { databases, transactionLog, attachments };

struct OwnComponent {
    std::string logicalPath;
    std::string name;
    std::string caption;
    ComponentKind kind = ComponentKind::databases;
    std::vector<ComponentFiles> files;
};

/// The components. A PreparedBackup refers to them by index.
using OwnComponents = std::vector<OwnComponent>;

}  // namespace domino_vss::vss
