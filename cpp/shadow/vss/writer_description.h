#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "shadow/vss/guid.h"

namespace domino_vss::vss {

/// What the writer tells requesters of itself. All texts are UTF-8.
struct WriterDescription {
    Guid classId;
    std::string name;
    /// Unique on the machine and the same after each start: VSS finds the partition of a restore by it.
    std::string instanceName;
    std::uint32_t majorVersion = 0;
    std::uint32_t minorVersion = 0;
    /// From Freeze to Thaw.
    std::uint32_t freezeTimeoutMs = 60'000;
};

/// Files of a component: a directory, and the names in it.
struct ComponentFiles {
    std::string directory;
    std::string pattern;
    bool recursive = false;
};

/// What a component is of: only databases are put into backup mode.
enum class ComponentKind : std::uint8_t { databases, transactionLog, attachments };

struct OwnComponent {
    std::string logicalPath;
    std::string name;
    std::string caption;
    ComponentKind kind = ComponentKind::databases;
    std::vector<ComponentFiles> files;
};

/// The components, numbered as the databases of a PreparedBackup name them.
using OwnComponents = std::vector<OwnComponent>;

}  // namespace domino_vss::vss
