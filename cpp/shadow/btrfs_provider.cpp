#include "shadow/btrfs_provider.h"

#include <fcntl.h>
#include <linux/btrfs.h>
#include <linux/magic.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "engine/flush.h"
#include "shadow/target_directories.h"
#include "system/btrfs.h"
#include "system/current_call.h"
#include "system/file_descriptor.h"

namespace domino_vss::shadow {

namespace {

FileDescriptor openDirectory(const std::filesystem::path& directory, Phase phase) {
    CurrentCall::note("open", directory.native());
    FileDescriptor descriptor(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!descriptor.valid()) throw systemFailure(code::kShadow, phase, "open", directory.string(), errno);
    return descriptor;
}

/// The kernel expects the name of a subvolume in a fixed-size field, together with a descriptor of its parent
/// directory.
template <typename Arguments>
void setName(Arguments& arguments, const std::filesystem::path& path, Phase phase) {
    const std::string name = path.filename().string();
    if (name.size() >= sizeof(arguments.name))
        throw systemFailure(code::kShadow, phase, "btrfs", path.string(), ENAMETOOLONG);
    std::ranges::copy(name, std::begin(arguments.name));
}

void snapshot(const SessionVolume& volume) {
    const std::filesystem::path target(volume.target);
    const FileDescriptor source = openDirectory(volume.source, Phase::shadow);
    const FileDescriptor parent = openDirectory(target.parent_path(), Phase::shadow);
    btrfs_ioctl_vol_args_v2 arguments{};
    arguments.fd = source.get();
    arguments.flags = BTRFS_SUBVOL_RDONLY;
    setName(arguments, target, Phase::shadow);
    CurrentCall::note("ioctl(BTRFS_IOC_SNAP_CREATE_V2)", volume.target);
    if (::ioctl(parent.get(), BTRFS_IOC_SNAP_CREATE_V2, &arguments) != 0)
        throw systemFailure(code::kShadow, Phase::shadow, "ioctl(BTRFS_IOC_SNAP_CREATE_V2)", volume.target, errno);
}

}  // namespace

BtrfsProvider::BtrfsProvider(std::vector<SessionVolume> volumes) : volumes_(std::move(volumes)) {}

void BtrfsProvider::prepare(std::span<const engine::DatabaseSpec> /*databases*/, const engine::Limits& limits) {
    for (const SessionVolume& volume : volumes_) {
        if (!isBtrfsSubvolume(volume.source))
            throw Failure(code::kUnsupported, Phase::prepare, "not a btrfs subvolume", volume.source);
        createDirectories(std::filesystem::path(volume.target).parent_path());
    }
    made_.reserve(volumes_.size());
    engine::flushVolumes(sourcesOf(volumes_), limits);
}

void BtrfsProvider::commit(const engine::Limits& limits) {
    for (const SessionVolume& volume : volumes_) {
        if (const char* reason = limits.exceeded())
            throw Failure(reason, Phase::shadow, "gave up before making this snapshot", volume.target);
        // Copied before: once the snapshot exists, nothing may keep it from being named, and the vector has its room.
        std::string made = volume.target;
        snapshot(volume);
        made_.push_back(std::move(made));
    }
}

void BtrfsProvider::remove() {
    removeEach(made_, deleteBtrfsSubvolume);
}

bool isBtrfsSubvolume(const std::string& path) {
    CurrentCall::note("statfs", path);
    struct statfs fileSystem {};
    struct stat status {};
    return ::statfs(path.c_str(), &fileSystem) == 0 && fileSystem.f_type == BTRFS_SUPER_MAGIC &&
           ::stat(path.c_str(), &status) == 0 && status.st_ino == kBtrfsSubvolumeInode;
}

void setBtrfsSubvolumeReadOnly(const std::string& path, bool readOnly) {
    if (!isBtrfsSubvolume(path)) throw Failure(code::kShadow, Phase::end, "not a subvolume", path);
    const FileDescriptor subvolume = openDirectory(path, Phase::end);
    CurrentCall::note("ioctl(BTRFS_IOC_SUBVOL_SETFLAGS)", path);
    std::uint64_t flags = readOnly ? BTRFS_SUBVOL_RDONLY : 0;
    if (::ioctl(subvolume.get(), BTRFS_IOC_SUBVOL_SETFLAGS, &flags) != 0)
        throw systemFailure(code::kShadow, Phase::end, "ioctl(BTRFS_IOC_SUBVOL_SETFLAGS)", path, errno);
}

void deleteBtrfsSubvolume(const std::string& path) {
    struct stat status {};
    CurrentCall::note("stat", path);
    if (::stat(path.c_str(), &status) != 0) {
        if (errno == ENOENT || errno == ENOTDIR) return;
        throw systemFailure(code::kShadow, Phase::end, "stat", path, errno);
    }
    if (!isBtrfsSubvolume(path)) throw Failure(code::kShadow, Phase::end, "not a subvolume; nothing was deleted", path);
    // With the mount option user_subvol_rm_allowed, ordinary users may delete their own subvolumes, but only writable
    // ones.
    setBtrfsSubvolumeReadOnly(path, false);
    const std::filesystem::path target(path);
    const FileDescriptor parent = openDirectory(target.parent_path(), Phase::end);
    btrfs_ioctl_vol_args arguments{};
    setName(arguments, target, Phase::end);
    CurrentCall::note("ioctl(BTRFS_IOC_SNAP_DESTROY)", path);
    if (::ioctl(parent.get(), BTRFS_IOC_SNAP_DESTROY, &arguments) != 0)
        throw systemFailure(code::kShadow, Phase::end, "ioctl(BTRFS_IOC_SNAP_DESTROY)", path, errno);
}

}  // namespace domino_vss::shadow
