#include "domino/catalog.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "system/file.h"
#include "system/file_system.h"
#include "system/path.h"
#include "system/system_error.h"
#include "system/utf8.h"

namespace domino_vss::domino {

namespace {

constexpr std::array<std::string_view, 5> kDatabaseExtensions{".nsf", ".ntf", ".box", ".nsg", ".nsh"};
constexpr std::string_view kDirectoryLinkExtension = ".dir";
/// Full-text indexes: directories with many files, but never a database.
constexpr std::string_view kFullTextExtension = ".ft";
constexpr std::array<char, 2> kSignature{0x1A, 0x00};
/// What a restore puts beside a database, as in lib/store/restored-files.ts. It is not left there unless a process has
/// died.
constexpr std::string_view kOriginalSuffix = ".domino-vss-original";
constexpr std::string_view kCopySuffix = ".domino-vss-restore";
/// A link contains a path and possibly some names; a longer file is not a link.
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
    std::string text = identity.volume + ":";
    if (identity.high != 0) text += std::to_string(identity.high) + ".";
    return text + std::to_string(identity.low);
}

std::string join(const std::string& directory, std::string_view name) {
    const bool separated = !directory.empty() && directory.back() == kSeparator;
    return directory + (separated ? "" : std::string(1, kSeparator)) + std::string(name);
}

/// The kind of object that has the name of a database or link but is not a file.
const char* nameOf(FileStatus::Kind kind) noexcept {
    switch (kind) {
        case FileStatus::Kind::directory: return "a directory";
        case FileStatus::Kind::regular: return "a file";
        case FileStatus::Kind::pipe: return "a named pipe";
        case FileStatus::Kind::socket: return "a socket";
        case FileStatus::Kind::device: return "a device";
        case FileStatus::Kind::other: break;
    }
    return "no file";
}

/// Searches directories that can be reached without a link first, then follows one link after the other. So a database
/// that can be reached without a link is never named by one. Not recursive, because the depth of the tree is not under
/// our control.
class Walk {
public:
    Walk(const std::string& dataDirectory, const std::vector<std::string>& excludeDirectories) {
        FileStatus status;
        for (const std::string& directory : excludeDirectories) {
            if (readStatus(directory, status) == 0) seenDirectories_.emplace(status.identity, std::nullopt);
        }
        if (const int error = readStatus(dataDirectory, status); error != 0)
            throw systemFailure(code::kFind, Phase::find, "stat", dataDirectory, error);
        std::vector<DirectoryItem> items;
        if (const int error = listDirectory(dataDirectory, items); error != 0)
            throw systemFailure(code::kFind, Phase::find, "open", dataDirectory, error);
        directories_.push_back({dataDirectory, "", status.identity.volume});
        searchDirectories();
        while (!links_.empty()) {
            const Link link = std::move(links_.front());
            links_.pop_front();
            follow(link);
            searchDirectories();
        }
        std::ranges::sort(catalog_.entries, {}, &CatalogEntry::path);
        std::ranges::sort(catalog_.aliases, {}, &CatalogAlias::alias);
    }

    [[nodiscard]] Catalog take() && { return std::move(catalog_); }

private:
    struct Directory {
        std::string path;
        std::string prefix;  ///< in Domino's terms: empty, or ending in a slash
        std::string parentVolume;
    };

    struct Link {
        std::string path;
        std::string name;    ///< in Domino's terms: the name of the link's target
        std::string target;  ///< from the text of the file; empty for links of the operating system
    };

    void searchDirectories() {
        while (!directories_.empty()) {
            const Directory next = std::move(directories_.front());
            directories_.pop_front();
            search(next);
        }
    }

    void search(const Directory& directory) {
        FileStatus own;
        if (const int error = readStatus(directory.path, own); error != 0)
            return problem("stat", directory.path, error);
        const auto [seen, isNew] = seenDirectories_.emplace(own.identity, directory.prefix);
        // Links may form a cycle, and an excluded directory may be reached by several paths.
        if (!isNew) {
            if (seen->second) catalog_.aliases.push_back({directory.prefix, *seen->second});
            return;
        }
        if (own.identity.volume != directory.parentVolume && isMadeUp(directory.path)) return;
        std::vector<DirectoryItem> items;
        if (const int error = listDirectory(directory.path, items); error != 0)
            problem("opendir", directory.path, error);
        for (const DirectoryItem& item : items) entry(directory, item, own.identity.volume);
    }

    void entry(const Directory& directory, const DirectoryItem& item, const std::string& volume) {
        const std::string itemPath = join(directory.path, item.name);
        if (!isUtf8(item.name)) return unspeakable(itemPath, item.name);
        const std::string dominoPath = directory.prefix + item.name;
        FileStatus status;
        if (const int error = readStatus(itemPath, status); error != 0) return unreachable(itemPath, item, error);
        if (item.isLink)
            links_.push_back({itemPath, dominoPath, ""});
        else if (item.name.ends_with(kOriginalSuffix))
            originalAside(directory.path, item.name);
        else if (item.name.ends_with(kCopySuffix))
            note("is a copy that an interrupted restore has left; remove it", itemPath);
        else
            visit(itemPath, dominoPath, status, volume);
    }

    /// The journal of its restore may be damaged or gone, so that only the name says what it is.
    void originalAside(const std::string& directory, std::string_view name) {
        const std::string_view place = name.substr(0, name.size() - kOriginalSuffix.size());
        catalog_.problems.emplace_back(
            code::kOriginalAside, Phase::find,
            "the original that an interrupted restore has replaced is beside it, as " + std::string(name) +
                ": keep the right one of the two under the name of the database, and remove the other",
            join(directory, place));
    }

    /// A file that was just deleted is ignored; a broken link is reported.
    void unreachable(const std::string& itemPath, const DirectoryItem& item, int error) {
        const bool missing = error == systemErrorOf(std::errc::no_such_file_or_directory);
        if (missing && !nameExists(itemPath)) return;
        const std::string extension = extensionOf(item.name);
        const bool mayHideDirectory = !missing && !item.isLink && extension.empty();
        if (isDatabaseName(item.name) || extension == kDirectoryLinkExtension || mayHideDirectory)
            problem("stat", itemPath, error);
        else if (item.isLink && extension.empty())
            note("is a link that leads nowhere: if a directory is missing there, so are its databases", itemPath);
    }

    /// `status` describes the target if `itemPath` is a link.
    void visit(const std::string& itemPath, const std::string& dominoPath, const FileStatus& status,
               const std::string& parentVolume) {
        const std::string extension = extensionOf(dominoPath);
        if (status.kind == FileStatus::Kind::directory) {
            if (extension != kFullTextExtension) directories_.push_back({itemPath, dominoPath + "/", parentVolume});
        } else if (extension == kDirectoryLinkExtension) {
            directoryLink(itemPath, dominoPath.substr(0, dominoPath.size() - extension.size()), status);
        } else if (isDatabaseName(dominoPath)) {
            file(itemPath, dominoPath, status);
        }
    }

    void directoryLink(const std::string& linkPath, std::string dominoPath, const FileStatus& status) {
        if (status.kind != FileStatus::Kind::regular)
            return note(std::string("has the name of a directory link but is ") + nameOf(status.kind), linkPath);
        std::string target;
        if (!linkTarget(linkPath, status, target)) return;
        if (target.empty()) return note("has the name of a directory link but names no absolute path", linkPath);
        links_.push_back({linkPath, std::move(dominoPath), std::move(target)});
    }

    void file(const std::string& filePath, const std::string& dominoPath, const FileStatus& status) {
        if (status.kind != FileStatus::Kind::regular)
            return note(std::string("has the name of a database but is ") + nameOf(status.kind), filePath);
        std::array<char, kSignature.size()> head{};
        if (!readHead(filePath, head)) return;
        if (head == kSignature) return add(filePath, dominoPath, status);
        std::string target;
        if (!linkTarget(filePath, status, target)) return;
        if (target.empty()) return notADatabase(filePath);
        if (!isDatabaseName(target)) target += ".nsf";
        links_.push_back({filePath, dominoPath, std::move(target)});
    }

    void follow(const Link& link) {
        FileStatus status;
        const std::string& place = link.target.empty() ? link.path : link.target;
        if (const int error = readStatus(place, status); error != 0) {
            if (link.target.empty()) return problem("stat", link.path, error);
            return brokenLink(link, error);
        }
        const bool isDirectory = status.kind == FileStatus::Kind::directory;
        if (isDirectory && isMadeUp(place))
            return note("leads to a virtual directory of the kernel, which cannot contain a database", link.path);
        if (link.target.empty()) return visit(place, link.name, status, status.identity.volume);
        const bool toDatabase = isDatabaseName(link.path);
        if (!toDatabase && isDirectory) return directories_.push_back({place, link.name + "/", status.identity.volume});
        if (!toDatabase) return brokenLink(link, systemErrorOf(std::errc::not_a_directory));
        std::array<char, kSignature.size()> head{};
        if (status.kind != FileStatus::Kind::regular)
            return note(std::string("leads to ") + nameOf(status.kind), link.path);
        if (!readHead(place, head)) return;
        if (head != kSignature) return notADatabase(link.path);
        add(place, link.name, status);
    }

    /// Returns false if the file could not be read. If it is shorter, the rest of `head` is unchanged.
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

    /// Reads the first line of a link file; `target` is empty if the file is not a link (a link contains an absolute
    /// path). Returns false if the file could not be read.
    bool linkTarget(const std::string& linkPath, const FileStatus& status, std::string& target) {
        target.clear();
        if (status.sizeBytes > kLargestLinkBytes) return true;
        std::array<char, kLargestLinkBytes> text{};
        File file;
        if (const int error = file.openForReading(linkPath); error != 0) {
            problem("open", linkPath, error);
            return false;
        }
        const ReadResult read = readFully(file, text);
        if (read.error != 0) {
            problem("read", linkPath, read.error);
            return false;
        }
        std::string_view line(text.data(), read.bytes);
        line = line.substr(0, line.find_first_of("\r\n"));
        const std::size_t first = line.find_first_not_of(" \t");
        if (first == std::string_view::npos) return true;
        line = line.substr(first, line.find_last_not_of(" \t") - first + 1);
        const bool isPath = line.find('\0') == std::string_view::npos && isUtf8(line) && isAbsolute(line);
        if (isPath) target = line;
        return true;
    }

    void add(const std::string& filePath, const std::string& dominoPath, const FileStatus& status) {
        const auto [seen, isNew] = seenFiles_.emplace(status.identity, dominoPath);
        if (!isNew) return catalog_.aliases.push_back({dominoPath, seen->second});
        std::string resolved;
        if (const int error = resolvePath(filePath, resolved); error != 0) return problem("realpath", filePath, error);
        try {
            const std::uint16_t volume = volumeIndex(resolved, status.identity.volume);
            catalog_.entries.push_back({dominoPath, std::move(resolved), status.sizeBytes, status.allocatedBytes,
                                        status.modifiedMs, volume, textOf(status.identity)});
        } catch (Failure& failure) {
            // A database on a volume that cannot be queried is reported as a problem; the search continues.
            failure.subject = filePath;
            catalog_.problems.push_back(std::move(failure));
        }
    }

    std::uint16_t volumeIndex(const std::string& filePath, const std::string& volume) {
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

    /// The subject is the link: it is in the data directory, and a glob can exclude it.
    void brokenLink(const Link& link, int systemError) {
        problem("stat", link.path, systemError);
        catalog_.problems.back().text += ": the link leads to " + link.target;
    }

    /// Neither Domino's API nor JavaScript can express such a name.
    void unspeakable(const std::string& itemPath, std::string_view name) {
        FileStatus status;
        const bool isDirectory = readStatus(itemPath, status) == 0 && status.kind == FileStatus::Kind::directory;
        if (!isDirectory && !isDatabaseName(name) && extensionOf(name) != kDirectoryLinkExtension) return;
        problem("readdir", escapeBeyondAscii(itemPath), systemErrorOf(std::errc::illegal_byte_sequence));
        catalog_.problems.back().text += ": the name is not valid Unicode; its bytes beyond ASCII are shown as \\xNN";
    }

    void notADatabase(const std::string& subject) {
        note("has the name of a database but neither its signature nor a link's path", subject);
    }

    /// Not a problem that could hide a database, so it does not make a backup partial.
    void note(std::string text, const std::string& subject) {
        catalog_.problems.emplace_back(code::kFind, Phase::find, std::move(text), subject);
    }

    Catalog catalog_;
    MountTable mounts_;
    std::deque<Directory> directories_;
    std::deque<Link> links_;
    std::map<std::string, std::uint16_t> indexOfVolume_;
    /// With their names; without a name if excluded.
    std::map<FileIdentity, std::optional<std::string>> seenDirectories_;
    std::map<FileIdentity, std::string> seenFiles_;
};

}  // namespace

Catalog findDatabases(const std::string& dataDirectory, const std::vector<std::string>& excludeDirectories) {
    return Walk(dataDirectory, excludeDirectories).take();
}

}  // namespace domino_vss::domino
