#pragma once

#include <cstdint>
#include <string>

namespace domino_vss::vss {

// Files in a shadow that may be changed. Paths are UTF-8.

/// Cuts a file to the size it had at NSFBackupStart: what was appended afterwards is not part of the backup. Throws
/// Failure if it is shorter, cannot be written, or if a link leads out of the shadow, to the live database.
void cutInShadow(const std::string& root, const std::string& path, std::uint64_t sizeBytes);

/// Makes the changes to a file durable, before the shadow becomes read-only. Throws Failure.
void flushInShadow(const std::string& file);

/// Gives a directory another name. Returns false if that is not possible.
[[nodiscard]] bool linkDirectory(const std::string& link, const std::string& target) noexcept;
void removeDirectoryLink(const std::string& link) noexcept;

}  // namespace domino_vss::vss
