#include <dirent.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <memory>

#include "system/file_system.h"

namespace domino_vss {

namespace {

struct DirectoryCloser {
    void operator()(DIR* directory) const noexcept { ::closedir(directory); }
};

}  // namespace

int readStatus(const std::string& path, FileStatus& status) {
    struct stat found {};
    if (::stat(path.c_str(), &found) != 0) return errno;
    using Kind = FileStatus::Kind;
    status.kind = S_ISDIR(found.st_mode) ? Kind::directory : S_ISREG(found.st_mode) ? Kind::regular : Kind::other;
    status.sizeBytes = static_cast<std::uint64_t>(found.st_size);
    status.modifiedMs =
        static_cast<double>(found.st_mtim.tv_sec) * 1e3 + static_cast<double>(found.st_mtim.tv_nsec) / 1e6;
    status.identity = {found.st_dev, 0, found.st_ino};
    return 0;
}

bool nameExists(const std::string& path) {
    struct stat found {};
    return ::lstat(path.c_str(), &found) == 0;
}

int listDirectory(const std::string& path, const std::function<void(std::string_view name)>& entry) {
    const std::unique_ptr<DIR, DirectoryCloser> handle(::opendir(path.c_str()));
    if (!handle) return errno;
    while (const dirent* const item = ::readdir(handle.get())) {
        const std::string_view name = item->d_name;
        if (name != "." && name != "..") entry(name);
    }
    return 0;
}

int resolvePath(const std::string& path, std::string& resolved) {
    std::error_code error;
    resolved = std::filesystem::canonical(path, error).native();
    return error.value();
}

}  // namespace domino_vss
