// NSFSearch over directories.

#include <cstring>
#include <filesystem>

#include "api.h"
#include "enumerate.h"
#include "lmbcs.h"
#include "summary.h"
#include "timedate.h"
#include "translog.h"
#include "utf8_path.h"

using namespace domino_sim;

namespace {

using SearchCallback = Status (*)(void* parameter, SearchMatch* match, void* summary);

enum SearchFlags : std::uint16_t { kSearchSummary = 0x0002, kSearchFileType = 0x0004 };

enum FileType : std::uint16_t {
    kAny = 0,
    kReplicas = 1,
    kDesigns = 2,
    kMailboxes = 3,
    kDatabases = 4,
    kTemplates = 5,
    kDirectoriesOnly = 7,
    kAnyNoteFile = 10,
    kUniqueTemporary = 11,
    kTypeMask = 0x00ff,
    kLinksOnly = 0x1000,
    kRecurse = 0x2000,
    kNoUpDirectories = 0x4000,
    kDirectories = 0x8000,
};

constexpr std::uint8_t kIsMatch = 0x01;
constexpr int kMaxDepth = 32;  // links may form a cycle

/** `.ns?`: an extension of three letters, of which the last one may be any. */
bool hasExtension(const std::string& name, std::string_view pattern) {
    return matchesGlob(pattern, upperCase(pathOf(name).extension().string()));
}

bool isOfType(const DirectoryEntry& entry, std::uint16_t type) {
    switch (type) {
        case kAny: return true;
        case kReplicas:
        case kDatabases: return hasExtension(entry.name, ".NS?");
        case kDesigns:
        case kTemplates: return hasExtension(entry.name, ".NT?");
        case kMailboxes: return hasExtension(entry.name, ".BOX");
        case kAnyNoteFile:
            return hasExtension(entry.name, ".NS?") || hasExtension(entry.name, ".NT?") ||
                   hasExtension(entry.name, ".BOX");
        case kUniqueTemporary: return hasExtension(entry.name, ".DTF");
        default: return false;
    }
}

TimeDate fileTime(const std::string& path) {
    std::error_code error;
    const auto time = std::filesystem::last_write_time(pathOf(path), error);
    return error ? TimeDate{}
                 : timeDateOf(std::chrono::floor<std::chrono::milliseconds>(std::chrono::file_clock::to_sys(time)));
}

class Search {
public:
    Search(Environment& environment, std::uint16_t flags, std::uint16_t mask, const TimeDate* since,
           SearchCallback callback, void* parameter)
        : environment_(&environment),
          flags_(flags),
          mask_(mask),
          since_(since),
          callback_(callback),
          parameter_(parameter) {}

    void directory(const std::string& canonical, const std::string& expanded, int depth) {
        if (has(kDirectories) && !has(kNoUpDirectories) && !canonical.empty()) {
            report({EntryKind::directory, "..", canonical + "/..", expanded + "/..", expanded + "/.."});
        }
        forEachEntry(canonical, expanded, [&](const DirectoryEntry& entry) { visit(entry, depth); });
    }

private:
    bool has(std::uint16_t modifier) const { return (mask_ & modifier) != 0; }
    std::uint16_t type() const { return mask_ & kTypeMask; }

    void visit(const DirectoryEntry& entry, int depth) {
        const bool isLink = entry.kind == EntryKind::directoryLink || entry.kind == EntryKind::databaseLink;
        if (entry.kind == EntryKind::directory || entry.kind == EntryKind::directoryLink) {
            if ((has(kDirectories) || type() == kDirectoriesOnly || type() == kAny) && (isLink || !has(kLinksOnly))) {
                report(entry);
            }
            const bool isFollowed =
                entry.kind == EntryKind::directory || environment_->isOn("SIM_SEARCH_FOLLOWS_LINKS"_setting);
            std::error_code ignored;
            if (has(kRecurse) && isFollowed && depth < kMaxDepth &&
                std::filesystem::is_directory(pathOf(entry.expanded), ignored)) {
                directory(entry.canonical, entry.expanded, depth + 1);
            }
            return;
        }
        if (isOfType(entry, type()) && (isLink || !has(kLinksOnly))) {
            report(entry);
        }
    }

    void report(const DirectoryEntry& entry) {
        const TimeDate modified = fileTime(entry.expanded);
        if (since_ != nullptr && compare(modified, *since_) < 0) {
            return;
        }
        HeaderPage header{};
        const bool isDatabase = readHeader(entry, header);
        SearchMatch match{};
        match.id.file = header.databaseId;
        match.id.note = header.replicaId;
        match.originator.sequenceTime = header.replicaId;
        match.originator.file = modified;
        match.returnFlags = kIsMatch;
        std::string summary;
        if ((flags_ & kSearchSummary) != 0) {
            summary = summaryOf(entry, isDatabase ? &header : nullptr, modified);
            match.summaryBytes = static_cast<std::uint16_t>(summary.size());
        }
        // Unaligned on purpose: callers must not rely on alignment.
        std::string memory(1 + sizeof match, '\0');
        std::memcpy(memory.data() + 1, &match, sizeof match);
        summary.insert(summary.begin(), '\0');
        const Status status =
            callback_(parameter_, reinterpret_cast<SearchMatch*>(memory.data() + 1),
                      (flags_ & kSearchSummary) != 0 ? static_cast<void*>(summary.data() + 1) : nullptr);
        if (status != kNoError) {
            throw StatusError(status);
        }
    }

    static bool readHeader(const DirectoryEntry& entry, HeaderPage& header) {
        if (entry.kind != EntryKind::database && entry.kind != EntryKind::databaseLink) {
            return false;
        }
        try {
            platform::File(entry.expanded, platform::FileMode::read).readAt(0, bytesOf(header));
        } catch (const std::system_error&) {
            return false;  // a dangling link
        }
        if (!isNsf(header)) {
            header = {};
            return false;
        }
        return true;
    }

    std::string summaryOf(const DirectoryEntry& entry, const HeaderPage* header, const TimeDate& modified) const {
        Summary summary;
        const auto text = [&](std::string_view name, const std::string& value) {
            summary.addText(name, lmbcs::fromUtf8(value));
        };
        // Upper and lower case are mixed as in the real names.
        text("$TITLE", entry.name);
        text("$Path", entry.canonical);
        if (const char* type = typeOf(entry, header != nullptr)) {
            text("$Type", type);
        }
        text("$PHYSICALPATH", entry.physical);
        text("$STORAGEPATH", entry.expanded);
        summary.addTime("$Modified", modified);
        std::error_code error;
        const auto sizeBytes = std::filesystem::file_size(pathOf(entry.expanded), error);
        summary.addNumber("$Length", error ? 0 : static_cast<double>(sizeBytes));
        if (entry.kind == EntryKind::databaseLink || entry.kind == EntryKind::directoryLink) {
            text("$LinkInfo", entry.expanded);
        }
        if (header != nullptr) {
            summary.addText("$Info", {header->info, ::strnlen(header->info, kInfoBytes)});
            const bool isLogged = (header->flags & kHeaderLogged) != 0 && isServerLogged(*environment_);
            summary.addNumber("$ISLOGGED", isLogged ? 1 : 0);
            summary.addTime("$DBCREATED", header->created);
            summary.addTime("$DATAMOD", header->modified);
            summary.addTime("$NONDATAMOD", header->modified);
            summary.addTime("$LASTFIXUP", header->lastFixup);
            summary.addTime("$LASTCOMPACT", header->lastCompact);
        }
        return summary.bytes();
    }

    /** The value of `$Type`; null for files that are not Notes databases, which have none. */
    static const char* typeOf(const DirectoryEntry& entry, bool isDatabase) {
        switch (entry.kind) {
            case EntryKind::directory: return "$DIR";
            case EntryKind::directoryLink: return "$DIRLINK";
            case EntryKind::databaseLink: return "$DBLINK";
            case EntryKind::database: return isDatabase ? "$NOTEFILE" : nullptr;
            case EntryKind::other: break;
        }
        return nullptr;
    }

    Environment* environment_;
    std::uint16_t flags_;
    std::uint16_t mask_;
    const TimeDate* since_;
    SearchCallback callback_;
    void* parameter_;
};

}  // namespace

NOTES_API std::uint64_t NSFSearch(Handle hDb, Handle, const char*, std::uint16_t searchFlags,
                                  std::uint16_t noteClassMask, const TimeDate* since, SearchCallback enumRoutine,
                                  void* parameter, TimeDate* retUntil) {
    return call("NSFSearch"_function, {hDb}, [&](Environment& environment) -> Status {
        const auto open = requireHandle(hDb);
        const TimeDate now = currentTimeDate();
        if (open->kind == OpenKind::directory) {
            if ((searchFlags & kSearchFileType) == 0) {
                return kValueFlags;
            }
            Search(environment, searchFlags, noteClassMask, since, enumRoutine, parameter)
                .directory(open->path.canonical, open->path.expanded, 0);
        }
        // Databases of the stand-in contain no notes, so the search finds none.
        if (retUntil != nullptr) {
            *retUntil = now;
        }
        return kNoError;
    });
}
