#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <vector>

namespace domino_vss::backup {

/// Inode number of every btrfs subvolume's top directory.
inline constexpr ino_t kBtrfsSubvolumeInode = 256;

/// The file system, or btrfs subvolume, that a path lies on.
struct Volume {
    std::string path;
    std::string mountPoint;
    std::string fileSystem;
    std::string device;
    bool isSubvolume = false;
    std::uint64_t freeBytes = 0;
};

/// The mounts of this process as they were at construction.
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

}  // namespace domino_vss::backup
