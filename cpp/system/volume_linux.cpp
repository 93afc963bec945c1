#include <sys/stat.h>
#include <sys/statvfs.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string_view>

#include "system/btrfs.h"
#include "system/failure.h"
#include "system/volume.h"

namespace domino_vss {

namespace {

namespace fs = std::filesystem;
constexpr const char* kMountInfo = "/proc/self/mountinfo";

/// The kernel writes space, tab, newline and backslash as three octal digits.
std::string unescape(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\\' && i + 3 < text.size()) {
            const std::string digits(text.substr(i + 1, 3));
            out.push_back(static_cast<char>(std::stoi(digits, nullptr, 8)));
            i += 3;
        } else {
            out.push_back(text[i]);
        }
    }
    return out;
}

bool contains(std::string_view directory, std::string_view path) {
    if (directory == "/") return true;
    return path.starts_with(directory) && (path.size() == directory.size() || path[directory.size()] == '/');
}

struct stat statusOf(const fs::path& path) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) throw systemFailure(code::kFind, Phase::find, "stat", path.string(), errno);
    return status;
}

/// Each subvolume has its own device number, so this stops at the subvolume's top directory.
fs::path topOfDevice(fs::path path) {
    const dev_t device = statusOf(path).st_dev;
    while (path.has_relative_path() && statusOf(path.parent_path()).st_dev == device) path = path.parent_path();
    return path;
}

}  // namespace

MountTable::MountTable() {
    // 36 35 98:0 /root /mount/point options shared:1 - type device super-options
    std::ifstream file(kMountInfo);
    if (!file) throw systemFailure(code::kFind, Phase::find, "open", kMountInfo, errno);
    for (std::string line; std::getline(file, line);) {
        const std::size_t separator = line.find(" - ");
        if (separator == std::string::npos) continue;
        std::istringstream left(line.substr(0, separator));
        std::istringstream right(line.substr(separator + 3));
        std::string skipped;
        std::string point;
        std::string device;
        Mount mount;
        left >> skipped >> skipped >> skipped >> skipped >> point;
        right >> mount.fileSystem >> device;
        mount.point = unescape(point);
        mount.device = unescape(device);
        mounts_.push_back(std::move(mount));
    }
}

Volume MountTable::volumeOf(const std::string& path) const {
    std::error_code error;
    const fs::path resolved = fs::canonical(path, error);
    if (error) throw systemFailure(code::kFind, Phase::find, "realpath", path, error.value());
    const Mount* best = nullptr;
    for (const Mount& mount : mounts_) {
        // Among equal mount points the last one wins: it is mounted over the others.
        if (contains(mount.point, resolved.native()) && (best == nullptr || mount.point.size() >= best->point.size()))
            best = &mount;
    }
    if (best == nullptr) throw systemFailure(code::kFind, Phase::find, "mountinfo", path, ENOENT);
    Volume volume{best->point, best->point, best->fileSystem, best->device, false, 0};
    if (best->fileSystem == "btrfs") {
        volume.path = topOfDevice(fs::is_directory(resolved) ? resolved : resolved.parent_path()).string();
        volume.isSubvolume = statusOf(volume.path).st_ino == kBtrfsSubvolumeInode;
    }
    struct statvfs space {};
    if (::statvfs(resolved.c_str(), &space) == 0) volume.freeBytes = std::uint64_t{space.f_bavail} * space.f_frsize;
    return volume;
}

}  // namespace domino_vss
