#include "domino/catalog.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <map>
#include <set>
#include <span>
#include <string_view>
#include <utility>

#include "system/file.h"
#include "system/file_system.h"
#include "system/path.h"
#include "system/system_error.h"

namespace domino_vss::domino {

namespace {

constexpr std::array<std::string_view, 5> kDatabaseExtensions{".nsf", ".ntf", ".box", ".nsg", ".nsh"};
constexpr std::string_view kDirectoryLinkExtension = ".dir";
/// Full-text indexes: directories full of files, never a database.
constexpr std::string_view kFullTextExtension = ".ft";
constexpr std::array<char, 2> kSignature{0x1A, 0x00};
/// A link holds a path and perhaps some names; anything longer is no link.
constexpr std::size_t kLargestLinkBytes = 4096;

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

/// `12:345`: the volume, and the file on it.
std::string textOf(const FileIdentity& identity) {
    std::string text = std::to_string(identity.volume) + ":";
    if (identity.high != 0) text += std::to_string(identity.high) + ".";
    return text + std::to_string(identity.low);
}

std::string join(const std::string& directory, std::string_view name) {
    const bool separated = !directory.empty() && directory.back() == kSeparator;
    return directory + (separated ? "" : std::string(1, kSeparator)) + std::string(name);
}

class Walk {
public:
    Walk(const std::string& dataDirectory, const std::vector<std::string>& excludeDirectories) {
        FileStatus status;
        for (const std::string& directory : excludeDirectories) {
            if (readStatus(directory, status) == 0) seenDirectories_.insert(status.identity);
        }
        if (const int error = readStatus(dataDirectory, status); error != 0)
            throw systemFailure(code::kFind, Phase::find, "stat", dataDirectory, error);
        if (const int error = listDirectory(dataDirectory, [](std::string_view) {}); error != 0)
            throw systemFailure(code::kFind, Phase::find, "open", dataDirectory, error);
        directory(dataDirectory, "");
        std::ranges::sort(catalog_.entries, {}, &CatalogEntry::path);
    }

    [[nodiscard]] Catalog take() && { return std::move(catalog_); }

private:
    /// `prefix` is the path of the directory in Domino's terms, empty or ending in a slash.
    void directory(const std::string& directoryPath, const std::string& prefix) {
        FileStatus own;
        if (const int error = readStatus(directoryPath, own); error != 0) return problem("stat", directoryPath, error);
        // Links may lead into a circle, and an excluded directory may be reached on many ways.
        if (!seenDirectories_.insert(own.identity).second) return;
        const int error = listDirectory(directoryPath,
                                        [&](std::string_view name) { entry(join(directoryPath, name), name, prefix); });
        if (error != 0) problem("opendir", directoryPath, error);
    }

    void entry(const std::string& itemPath, std::string_view name, const std::string& prefix) {
        const std::string extension = extensionOf(name);
        const bool database = isDatabaseName(name);
        FileStatus status;
        if (const int error = readStatus(itemPath, status); error != 0) {
            // A file that has just been deleted is none of our business; a symbolic link that dangles is.
            const bool missing = error == systemErrorOf(std::errc::no_such_file_or_directory);
            if (database && (!missing || nameExists(itemPath))) problem("stat", itemPath, error);
            return;
        }
        const bool isFile = status.kind == FileStatus::Kind::regular;
        if (status.kind == FileStatus::Kind::directory) {
            if (extension != kFullTextExtension) directory(itemPath, prefix + std::string(name) + "/");
        } else if (isFile && extension == kDirectoryLinkExtension) {
            const std::string linkName(name.substr(0, name.size() - extension.size()));
            const std::string target = linkTarget(itemPath, status);
            FileStatus targetStatus;
            if (target.empty()) return;
            if (const int error = readStatus(target, targetStatus); error != 0)
                return brokenLink(itemPath, target, error);
            directory(target, prefix + linkName + "/");
        } else if (isFile && database) {
            file(itemPath, prefix + std::string(name), status);
        }
    }

    void file(const std::string& filePath, std::string dominoPath, const FileStatus& status) {
        std::array<char, kSignature.size()> head{};
        if (!readHead(filePath, head)) return;
        if (head == kSignature) return add(filePath, std::move(dominoPath), status);
        std::string target = linkTarget(filePath, status);
        if (target.empty()) return notADatabase(filePath);
        if (!isDatabaseName(target)) target += ".nsf";
        FileStatus targetStatus;
        if (const int error = readStatus(target, targetStatus); error != 0) return brokenLink(filePath, target, error);
        if (!readHead(target, head)) return;
        if (head != kSignature) return notADatabase(filePath);
        add(target, std::move(dominoPath), targetStatus);
    }

    /// Answers whether it could be read; a shorter file leaves the rest as it is.
    bool readHead(const std::string& filePath, std::span<char> head) {
        File file;
        if (const int error = file.openForReading(filePath); error != 0) {
            problem("open", filePath, error);
            return false;
        }
        const int error = readFully(file, head).error;
        if (error != 0) problem("read", filePath, error);
        return error == 0;
    }

    /// First line of a link file; empty when the file is no link (a link names an absolute path).
    std::string linkTarget(const std::string& linkPath, const FileStatus& status) {
        if (status.sizeBytes > kLargestLinkBytes) return {};
        File file;
        if (const int error = file.openForReading(linkPath); error != 0) {
            problem("open", linkPath, error);
            return {};
        }
        std::array<char, kLargestLinkBytes> text{};
        std::string_view line(text.data(), readFully(file, text).bytes);
        line = line.substr(0, line.find_first_of("\r\n"));
        while (!line.empty() && line.back() == ' ') line.remove_suffix(1);
        const bool isPath = line.find('\0') == std::string_view::npos && isAbsolute(line);
        return isPath ? std::string(line) : std::string{};
    }

    void add(const std::string& filePath, std::string dominoPath, const FileStatus& status) {
        std::string resolved;
        if (const int error = resolvePath(filePath, resolved); error != 0) return problem("realpath", filePath, error);
        const std::uint16_t volume = volumeIndex(resolved, status.identity.volume);
        catalog_.entries.push_back({std::move(dominoPath), std::move(resolved), status.sizeBytes, status.modifiedMs,
                                    volume, textOf(status.identity)});
    }

    std::uint16_t volumeIndex(const std::string& filePath, std::uint64_t volume) {
        const auto known = indexOfVolume_.find(volume);
        if (known != indexOfVolume_.end()) return known->second;
        const auto index = static_cast<std::uint16_t>(catalog_.volumes.size());
        catalog_.volumes.push_back(mounts_.volumeOf(filePath));
        indexOfVolume_.emplace(volume, index);
        return index;
    }

    void problem(const char* operation, const std::string& subject, int systemError) {
        catalog_.problems.push_back(systemFailure(code::kFind, Phase::find, operation, subject, systemError));
    }

    /// The subject is the link: that is what the data directory has, and what a glob can exclude.
    void brokenLink(const std::string& link, const std::string& target, int systemError) {
        problem("stat", link, systemError);
        catalog_.problems.back().text += ": the link leads to " + target;
    }

    void notADatabase(const std::string& subject) {
        catalog_.problems.emplace_back(code::kFind, Phase::find,
                                       "has the name of a database but neither its signature nor a link's path",
                                       subject);
    }

    Catalog catalog_;
    MountTable mounts_;
    std::map<std::uint64_t, std::uint16_t> indexOfVolume_;
    std::set<FileIdentity> seenDirectories_;
};

}  // namespace

Catalog findDatabases(const std::string& dataDirectory, const std::vector<std::string>& excludeDirectories) {
    return Walk(dataDirectory, excludeDirectories).take();
}

}  // namespace domino_vss::domino
