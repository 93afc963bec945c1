#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "backup/database.h"
#include "backup/deadline.h"

namespace domino_vss::shadow {

/// One file system or subvolume in a session: what is captured, and where the shadow is made.
struct SessionVolume {
    std::string source;
    std::string target;
};

/// Throws Failure.
void createDirectories(const std::filesystem::path& directory);

/// Creates the volumes' target directories and, below them, those of the databases' copies. Throws Failure.
void createTargetDirectories(std::span<const SessionVolume> volumes, std::span<const backup::DatabaseSpec> databases);

/// Writes dirty pages of the volumes to disk, so that little is left to write inside the window. Throws Failure.
void flushVolumes(std::span<const SessionVolume> volumes, const backup::Limits& limits);

/// Removes a shadow that is a directory. Idempotent. Throws Failure.
void removeTargetDirectory(const std::string& target);

}  // namespace domino_vss::shadow
