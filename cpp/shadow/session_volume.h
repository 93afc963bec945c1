#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "engine/database.h"
#include "engine/deadline.h"

namespace domino_vss::shadow {

/// One file system or subvolume in a session: what is captured, and where the shadow is made.
struct SessionVolume {
    std::string source;
    std::string target;
};

/// Throws Failure.
void createDirectories(const std::filesystem::path& directory);

/// The directories that a provider of copies or clones makes, and nothing else: what stood there before is not its to
/// remove.
class TargetDirectories {
public:
    /// Creates the volumes' targets, which must not exist, and the directories of the databases' files below them.
    /// Throws Failure.
    void create(std::span<const SessionVolume> volumes, std::span<const engine::DatabaseSpec> databases);
    /// Makes the contents durable. Throws Failure.
    void sync() const;
    /// Idempotent. Throws Failure.
    void remove();

private:
    std::vector<std::string> made_;
};

/// Writes dirty pages of the volumes to disk, so that little is left to write inside the window. Throws Failure.
void flushVolumes(std::span<const SessionVolume> volumes, const engine::Limits& limits);

/// Calls `remove` for each path. Those that cannot be removed stay in the list; the first Failure is thrown at the end.
void removeEach(std::vector<std::string>& paths, void (*remove)(const std::string& path));

/// Removes a shadow that is a directory. Idempotent. Throws Failure.
void removeTargetDirectory(const std::string& target);

}  // namespace domino_vss::shadow
