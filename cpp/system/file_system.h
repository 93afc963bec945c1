#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <tuple>

namespace domino_vss {

// What a search for databases asks the file system. Paths are UTF-8; an `int` is the system's error number, 0 for
// success.

/// Two names with the same identity are the same file.
struct FileIdentity {
    std::uint64_t volume = 0;
    std::uint64_t high = 0;  ///< ReFS numbers its files with 128 bits
    std::uint64_t low = 0;

    friend bool operator<(const FileIdentity& left, const FileIdentity& right) noexcept {
        return std::tie(left.volume, left.high, left.low) < std::tie(right.volume, right.high, right.low);
    }
};

struct FileStatus {
    enum class Kind : std::uint8_t { directory, regular, other };
    Kind kind = Kind::other;
    std::uint64_t sizeBytes = 0;
    double modifiedMs = 0;  ///< since the epoch
    FileIdentity identity;
};

/// Of what a link leads to.
[[nodiscard]] int readStatus(const std::string& path, FileStatus& status);

/// Whether there is something under the name, be it a link that leads nowhere.
[[nodiscard]] bool nameExists(const std::string& path);

/// Calls back with every name but `.` and `..`, in no order.
[[nodiscard]] int listDirectory(const std::string& path, const std::function<void(std::string_view name)>& entry);

/// The absolute path without links in it.
[[nodiscard]] int resolvePath(const std::string& path, std::string& resolved);

}  // namespace domino_vss
