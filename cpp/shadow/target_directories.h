#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "engine/database.h"
#include "shadow/session_volume.h"

namespace domino_vss::shadow {

/// Throws Failure.
void createDirectories(const std::filesystem::path& directory);

/// The directories that a provider of copies or clones has created. Only these are removed.
class TargetDirectories {
public:
    /// Creates the targets of the volumes, which must not exist, and the directories for the database files below them.
    /// Throws Failure.
    void create(std::span<const SessionVolume> volumes, std::span<const engine::DatabaseSpec> databases);
    /// Makes the contents durable. Throws Failure.
    void sync() const;
    /// Idempotent. Throws Failure.
    void remove();

private:
    std::vector<std::string> made_;
};

/// Calls `remove` for each path. Paths that cannot be removed stay in the list; the first Failure is thrown at the end.
void removeEach(std::vector<std::string>& paths, void (*remove)(const std::string& path));

/// Removes a shadow that is a directory. Idempotent. Throws Failure.
void removeTargetDirectory(const std::string& target);

}  // namespace domino_vss::shadow
