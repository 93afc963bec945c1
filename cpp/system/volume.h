#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace domino_vss {

/// The file system, or btrfs subvolume, that contains a path.
struct Volume {
    std::string path;
    std::string mountPoint;  ///< on Windows a drive or a directory, with a trailing backslash
    std::string fileSystem;
    std::string device;  ///< on Windows `\\?\Volume{…}\`
    bool isSubvolume = false;
    std::uint64_t freeBytes = 0;
};

/// The mounts of this process, read at construction; on Windows read at each query.
class MountTable {
public:
    /// Throws Failure.
    MountTable();
    /// The volume of an existing path. Throws Failure.
    [[nodiscard]] Volume volumeOf(const std::string& path) const;

private:
    struct Mount {
        std::string point;
        std::string fileSystem;
        std::string device;
    };
    std::vector<Mount> mounts_;
};

}  // namespace domino_vss
