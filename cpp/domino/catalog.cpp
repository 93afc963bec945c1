#include "domino/catalog.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string_view>
#include <utility>

#include "backup/file_descriptor.h"

namespace domino_vss::domino {

namespace {

namespace fs = std::filesystem;
using backup::FileDescriptor;
using backup::Phase;
using backup::systemFailure;

constexpr std::array<std::string_view, 5> kDatabaseExtensions{".nsf", ".ntf", ".box", ".nsg", ".nsh"};
constexpr std::string_view kDirectoryLinkExtension = ".dir";
/// Full-text indexes: directories full of files, never a database.
constexpr std::string_view kFullTextExtension = ".ft";
constexpr std::array<unsigned char, 2> kSignature{0x1A, 0x00};
/// A link holds a path and perhaps some names; anything longer is no link.
constexpr off_t kLargestLinkBytes = 4096;

std::string lowered(std::string_view text) {
    std::string out(text);
    std::ranges::transform(out, out.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return out;
}

std::string extensionOf(std::string_view name) {
    const std::size_t dot = name.rfind('.');
    return dot == std::string_view::npos ? std::string{} : lowered(name.substr(dot));
}

bool isDatabaseName(std::string_view name) {
    return std::ranges::find(kDatabaseExtensions, extensionOf(name)) != kDatabaseExtensions.end();
}

double modifiedMs(const struct stat& status) {
    return static_cast<double>(status.st_mtim.tv_sec) * 1e3 + static_cast<double>(status.st_mtim.tv_nsec) / 1e6;
}

using FileId = std::pair<dev_t, ino_t>;

class Walk {
public:
    Walk(const std::string& dataDirectory, const std::vector<std::string>& excludeDirectories) {
        for (const std::string& directory : excludeDirectories) {
            struct stat status {};
            if (::stat(directory.c_str(), &status) == 0) seenDirectories_.insert({status.st_dev, status.st_ino});
        }
        struct stat status {};
        if (::stat(dataDirectory.c_str(), &status) != 0)
            throw systemFailure(backup::code::kFind, Phase::find, "stat", dataDirectory, errno);
        const FileDescriptor readable(::open(dataDirectory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        if (!readable.valid()) throw systemFailure(backup::code::kFind, Phase::find, "open", dataDirectory, errno);
        directory(dataDirectory, "");
        std::ranges::sort(catalog_.entries, {}, &CatalogEntry::path);
    }

    [[nodiscard]] Catalog take() && { return std::move(catalog_); }

private:
    struct DirectoryCloser {
        void operator()(DIR* directory) const noexcept { ::closedir(directory); }
    };

    /// `prefix` is the path of the directory in Domino's terms, empty or ending in a slash.
    void directory(const fs::path& directoryPath, const std::string& prefix) {
        struct stat own {};
        if (::stat(directoryPath.c_str(), &own) != 0) return problem("stat", directoryPath, errno);
        // Links may lead into a circle, and an excluded directory may be reached on many ways.
        if (!seenDirectories_.insert({own.st_dev, own.st_ino}).second) return;
        const std::unique_ptr<DIR, DirectoryCloser> handle(::opendir(directoryPath.c_str()));
        if (!handle) return problem("opendir", directoryPath, errno);
        while (const dirent* const item = ::readdir(handle.get())) {
            const std::string_view name = item->d_name;
            if (name != "." && name != "..") entry(directoryPath / name, name, prefix);
        }
    }

    void entry(const fs::path& itemPath, std::string_view name, const std::string& prefix) {
        const std::string extension = extensionOf(name);
        const bool database = isDatabaseName(name);
        struct stat status {};
        if (::stat(itemPath.c_str(), &status) != 0) {
            // A file that has just been deleted is none of our business; a symbolic link that dangles is.
            const int error = errno;
            struct stat link {};
            if (database && (error != ENOENT || ::lstat(itemPath.c_str(), &link) == 0))
                problem("stat", itemPath, error);
            return;
        }
        if (S_ISDIR(status.st_mode)) {
            if (extension != kFullTextExtension) directory(itemPath, prefix + std::string(name) + "/");
        } else if (S_ISREG(status.st_mode) && extension == kDirectoryLinkExtension) {
            const std::string linkName(name.substr(0, name.size() - extension.size()));
            const std::string target = linkTarget(itemPath, status);
            struct stat targetStatus {};
            if (target.empty()) return;
            if (::stat(target.c_str(), &targetStatus) != 0) return brokenLink(itemPath, target, errno);
            directory(target, prefix + linkName + "/");
        } else if (S_ISREG(status.st_mode) && database) {
            file(itemPath, prefix + std::string(name), status);
        }
    }

    void file(const fs::path& filePath, std::string dominoPath, const struct stat& status) {
        std::array<unsigned char, kSignature.size()> head{};
        if (!readHead(filePath, head)) return;
        if (head == kSignature) return add(filePath, std::move(dominoPath), status);
        std::string target = linkTarget(filePath, status);
        if (target.empty()) return notADatabase(filePath);
        if (!isDatabaseName(target)) target += ".nsf";
        struct stat targetStatus {};
        if (::stat(target.c_str(), &targetStatus) != 0) return brokenLink(filePath, target, errno);
        if (!readHead(target, head)) return;
        if (head != kSignature) return notADatabase(filePath);
        add(target, std::move(dominoPath), targetStatus);
    }

    bool readHead(const fs::path& filePath, std::span<unsigned char> head) {
        const FileDescriptor descriptor(::open(filePath.c_str(), O_RDONLY | O_CLOEXEC));
        if (!descriptor.valid()) {
            problem("open", filePath, errno);
            return false;
        }
        const ssize_t got = ::pread(descriptor.get(), head.data(), head.size(), 0);
        if (got < 0) problem("read", filePath, errno);
        return got >= 0;
    }

    /// First line of a link file; empty when the file is no link (a link names an absolute path).
    std::string linkTarget(const fs::path& linkPath, const struct stat& status) {
        if (status.st_size > kLargestLinkBytes) return {};
        const FileDescriptor descriptor(::open(linkPath.c_str(), O_RDONLY | O_CLOEXEC));
        if (!descriptor.valid()) {
            problem("open", linkPath, errno);
            return {};
        }
        std::array<char, kLargestLinkBytes> text{};
        const ssize_t got = ::pread(descriptor.get(), text.data(), text.size(), 0);
        if (got <= 0) return {};
        std::string_view line(text.data(), static_cast<std::size_t>(got));
        line = line.substr(0, line.find_first_of("\r\n"));
        while (!line.empty() && line.back() == ' ') line.remove_suffix(1);
        const bool isPath = line.starts_with('/') && line.find('\0') == std::string_view::npos;
        return isPath ? std::string(line) : std::string{};
    }

    void add(const fs::path& filePath, std::string dominoPath, const struct stat& status) {
        std::error_code error;
        const fs::path resolved = fs::canonical(filePath, error);
        if (error) return problem("realpath", filePath, error.value());
        catalog_.entries.push_back({std::move(dominoPath), resolved.string(),
                                    static_cast<std::uint64_t>(status.st_size), modifiedMs(status),
                                    volumeIndex(resolved, status.st_dev),
                                    std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino)});
    }

    std::uint16_t volumeIndex(const fs::path& filePath, dev_t device) {
        const auto known = volumeOfDevice_.find(device);
        if (known != volumeOfDevice_.end()) return known->second;
        const auto index = static_cast<std::uint16_t>(catalog_.volumes.size());
        catalog_.volumes.push_back(mounts_.volumeOf(filePath.string()));
        volumeOfDevice_.emplace(device, index);
        return index;
    }

    void problem(const char* operation, const fs::path& subject, int errorNumber) {
        catalog_.problems.push_back(
            systemFailure(backup::code::kFind, Phase::find, operation, subject.string(), errorNumber));
    }

    /// The subject is the link: that is what the data directory has, and what a glob can exclude.
    void brokenLink(const fs::path& link, const std::string& target, int errorNumber) {
        problem("stat", link, errorNumber);
        catalog_.problems.back().text += ": the link leads to " + target;
    }

    void notADatabase(const fs::path& subject) {
        catalog_.problems.emplace_back(backup::code::kFind, Phase::find,
                                       "has the name of a database but neither its signature nor a link's path",
                                       subject.string());
    }

    Catalog catalog_;
    backup::MountTable mounts_;
    std::map<dev_t, std::uint16_t> volumeOfDevice_;
    std::set<FileId> seenDirectories_;
};

}  // namespace

Catalog findDatabases(const std::string& dataDirectory, const std::vector<std::string>& excludeDirectories) {
    return Walk(dataDirectory, excludeDirectories).take();
}

}  // namespace domino_vss::domino
