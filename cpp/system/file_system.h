#pragma once

#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

namespace domino_vss {

// What a search for databases asks the file system. Paths are UTF-8; an `int` is the system's error number, 0 for
// success.

/// Two names with the same identity are the same file.
struct FileIdentity {
    /// The one name of the volume: on Windows as in volume_name.h, on Linux the number of the device. A serial number
    /// or a UUID would not do: a cloned disk has the same one, and the same numbers of files.
    std::string volume;
    std::uint64_t high = 0;  ///< ReFS numbers its files with 128 bits
    std::uint64_t low = 0;

    friend bool operator<(const FileIdentity& left, const FileIdentity& right) noexcept {
        return std::tie(left.volume, left.high, left.low) < std::tie(right.volume, right.high, right.low);
    }
};

struct FileStatus {
    enum class Kind : std::uint8_t { directory, regular, pipe, socket, device, other };
    Kind kind = Kind::other;
    std::uint64_t sizeBytes = 0;
    std::uint64_t allocatedBytes = 0;  ///< less than the size where the file is sparse or compressed
    double modifiedMs = 0;             ///< since the epoch
    FileIdentity identity;
};

/// Of what a link leads to.
[[nodiscard]] int readStatus(const std::string& path, FileStatus& status);

/// Whether there is something under the name, be it a link that leads nowhere.
[[nodiscard]] bool nameExists(const std::string& path);

struct DirectoryItem {
    /// UTF-8, unless the name is none: then what cannot be converted makes it invalid UTF-8.
    std::string name;
    bool isLink = false;  ///< a symbolic link, a junction or a mount point in a directory
};

/// Every name but `.` and `..`, sorted: the answer does not depend on the order of the file system.
[[nodiscard]] int listDirectory(const std::string& path, std::vector<DirectoryItem>& items);

/// Whether the kernel makes up what lies in the directory, as below /proc: nothing there is a file of anybody.
[[nodiscard]] bool isMadeUp(const std::string& directory);

/// The absolute path without links in it.
[[nodiscard]] int resolvePath(const std::string& path, std::string& resolved);

}  // namespace domino_vss
