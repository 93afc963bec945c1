#pragma once

#include <sys/types.h>

namespace domino_vss {

/// Inode number of every btrfs subvolume's top directory.
inline constexpr ino_t kBtrfsSubvolumeInode = 256;

}  // namespace domino_vss
