#pragma once

#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

namespace domino_vss {

// What the search for databases needs from the file system. Paths are UTF-8. Functions that return `int` return the
// system's error number, 0 for success.

/// Two names with the same identity are the same file.
struct FileIdentity {
    /// The unique name of the volume: on Windows as in volume_name.h, on Linux the device number. Not a serial number
    /// or UUID, because a cloned disk has the same ones, and the same file numbers.
    std::string volume;
    std::uint64_t high = 0;  ///< ReFS has 128-bit file numbers
    std::uint64_t low = 0;

    friend bool operator<(const FileIdentity& left, const FileIdentity& right) noexcept {
        return std::tie(left.volume, left.high, left.low) < std::tie(right.volume, right.high, right.low);
    }
};

struct FileStatus {
    enum class Kind : std::uint8_t { directory, regular, pipe, socket, device, other };
    Kind kind = Kind::other;
    std::uint64_t sizeBytes = 0;
    std::uint64_t allocatedBytes = 0;  ///< less than the size if the file is sparse or compressed
    double modifiedMs = 0;             ///< since the epoch
    FileIdentity identity;
};

/// Follows links.
[[nodiscard]] int readStatus(const std::string& path, FileStatus& status);

/// Whether the name exists, including a broken link.
[[nodiscard]] bool nameExists(const std::string& path);

struct DirectoryItem {
    /// UTF-8. If the name cannot be converted, invalid UTF-8.
    std::string name;
    bool isLink = false;  ///< a symbolic link; on Windows also a junction or a mounted volume
};

/// All names except `.` and `..`, sorted, so that the result does not depend on the file system's order.
[[nodiscard]] int listDirectory(const std::string& path, std::vector<DirectoryItem>& items);

/// Whether the directory is on a virtual file system of the kernel, such as /proc, which contains no user's files.
[[nodiscard]] bool isMadeUp(const std::string& directory);

/// The absolute path with all links resolved.
[[nodiscard]] int resolvePath(const std::string& path, std::string& resolved);

}  // namespace domino_vss
