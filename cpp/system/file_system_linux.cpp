#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <memory>
#include <string_view>

#include "system/file_system.h"

namespace domino_vss {

namespace {

struct DirectoryCloser {
    void operator()(DIR* directory) const noexcept { ::closedir(directory); }
};

constexpr std::uint64_t kStatBlockBytes = 512;  // the unit of st_blocks, independent of st_blksize

/// Without tmpfs, which can hold user data. Constants missing from <linux/magic.h> are from the kernel sources.
constexpr std::uint32_t kConfigFs = 0x62656570;
constexpr std::uint32_t kMessageQueues = 0x19800202;
constexpr std::array kMadeUpFileSystems{
    std::uint32_t{PROC_SUPER_MAGIC},
    std::uint32_t{SYSFS_MAGIC},
    std::uint32_t{DEBUGFS_MAGIC},
    std::uint32_t{TRACEFS_MAGIC},
    std::uint32_t{CGROUP_SUPER_MAGIC},
    std::uint32_t{CGROUP2_SUPER_MAGIC},
    std::uint32_t{SECURITYFS_MAGIC},
    std::uint32_t{SELINUX_MAGIC},
    std::uint32_t{PSTOREFS_MAGIC},
    std::uint32_t{DEVPTS_SUPER_MAGIC},
    std::uint32_t{BPF_FS_MAGIC},
    std::uint32_t{EFIVARFS_MAGIC},
    std::uint32_t{BINFMTFS_MAGIC},
    std::uint32_t{NSFS_MAGIC},
    kConfigFs,
    kMessageQueues,
};

FileStatus::Kind kindOf(mode_t mode) noexcept {
    using Kind = FileStatus::Kind;
    if (S_ISDIR(mode)) return Kind::directory;
    if (S_ISREG(mode)) return Kind::regular;
    if (S_ISFIFO(mode)) return Kind::pipe;
    if (S_ISSOCK(mode)) return Kind::socket;
    return S_ISCHR(mode) || S_ISBLK(mode) ? Kind::device : Kind::other;
}

/// Some file systems do not report the type of an entry in the listing.
bool isLink(DIR* directory, const dirent& item) noexcept {
    if (item.d_type != DT_UNKNOWN) return item.d_type == DT_LNK;
    struct stat found {};
    return ::fstatat(::dirfd(directory), item.d_name, &found, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(found.st_mode);
}

}  // namespace

int readStatus(const std::string& path, FileStatus& status) {
    struct stat found {};
    if (::stat(path.c_str(), &found) != 0) return errno;
    status.kind = kindOf(found.st_mode);
    status.sizeBytes = static_cast<std::uint64_t>(found.st_size);
    status.allocatedBytes = static_cast<std::uint64_t>(found.st_blocks) * kStatBlockBytes;
    status.modifiedMs =
        static_cast<double>(found.st_mtim.tv_sec) * 1e3 + static_cast<double>(found.st_mtim.tv_nsec) / 1e6;
    status.identity = {std::to_string(found.st_dev), 0, found.st_ino};
    return 0;
}

bool nameExists(const std::string& path) {
    struct stat found {};
    return ::lstat(path.c_str(), &found) == 0;
}

int listDirectory(const std::string& path, std::vector<DirectoryItem>& items) {
    items.clear();
    const std::unique_ptr<DIR, DirectoryCloser> handle(::opendir(path.c_str()));
    if (!handle) return errno;
    for (;;) {
        errno = 0;
        const dirent* const item = ::readdir(handle.get());
        if (item == nullptr) break;
        const std::string_view name = item->d_name;
        if (name != "." && name != "..") items.push_back({std::string(name), isLink(handle.get(), *item)});
    }
    const int error = errno;
    std::ranges::sort(items, {}, &DirectoryItem::name);
    return error;
}

bool isMadeUp(const std::string& directory) {
    struct statfs found {};
    if (::statfs(directory.c_str(), &found) != 0) return false;
    const auto magic = static_cast<std::uint32_t>(found.f_type);
    return std::ranges::find(kMadeUpFileSystems, magic) != kMadeUpFileSystems.end();
}

int resolvePath(const std::string& path, std::string& resolved) {
    std::error_code error;
    resolved = std::filesystem::canonical(path, error).native();
    return error.value();
}

}  // namespace domino_vss
