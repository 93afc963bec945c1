#include "enumerate.h"

#include <algorithm>
#include <filesystem>
#include <vector>

#include "page.h"
#include "paths.h"
#include "utf8_path.h"

namespace domino_sim {

namespace fs = std::filesystem;

namespace {

bool hasSignature(const std::string& path) {
    try {
        HeaderPage header{};
        platform::File(path, platform::FileMode::read).readAt(0, bytesOf(header).first(sizeof kNsfSignature));
        return isNsf(header);
    } catch (const std::system_error&) {
        return false;
    }
}

DirectoryEntry classify(const std::string& canonicalDirectory, const fs::directory_entry& found) {
    DirectoryEntry entry;
    entry.name = found.path().filename().string();
    entry.canonical = (canonicalDirectory.empty() ? "" : canonicalDirectory + platform::kSeparator) + entry.name;
    entry.physical = found.path().string();
    entry.expanded = entry.physical;
    std::error_code ignored;
    if (found.is_directory(ignored)) {
        entry.kind = EntryKind::directory;
        return entry;
    }
    const std::string extension = upperCase(found.path().extension().string());
    const bool isLinkName = extension == ".DIR" || hasDatabaseExtension(entry.name);
    if (const auto target = isLinkName ? readLink(entry.physical) : std::nullopt) {
        entry.expanded = *target;
        entry.kind = extension == ".DIR" ? EntryKind::directoryLink : EntryKind::databaseLink;
        if (entry.kind == EntryKind::directoryLink) {
            entry.canonical.resize(entry.canonical.size() - extension.size());
        }
        return entry;
    }
    entry.kind =
        hasDatabaseExtension(entry.name) && hasSignature(entry.physical) ? EntryKind::database : EntryKind::other;
    return entry;
}

void visitTree(const std::string& canonical, const std::string& expanded, int depth,
               const std::function<void(const DirectoryEntry&)>& visit) {
    constexpr int kMaxDepth = 32;  // links may form a cycle
    if (depth > kMaxDepth) {
        return;
    }
    forEachEntry(canonical, expanded, [&](const DirectoryEntry& entry) {
        if (entry.kind == EntryKind::directory || entry.kind == EntryKind::directoryLink) {
            std::error_code ignored;
            if (fs::is_directory(pathOf(entry.expanded), ignored)) {
                visitTree(entry.canonical, entry.expanded, depth + 1, visit);
            }
        } else if (entry.kind == EntryKind::database ||
                   (entry.kind == EntryKind::databaseLink && hasSignature(entry.expanded))) {
            visit(entry);
        }
    });
}

}  // namespace

bool hasDatabaseExtension(const std::string& name) {
    const std::string extension = upperCase(pathOf(name).extension().string());
    return extension == ".NSF" || extension == ".NTF" || extension == ".BOX";
}

void forEachEntry(const std::string& canonicalDirectory, const std::string& expandedDirectory,
                  const std::function<void(const DirectoryEntry&)>& visit) {
    std::vector<fs::directory_entry> found;
    for (const fs::directory_entry& entry : fs::directory_iterator(pathOf(expandedDirectory))) {
        found.push_back(entry);
    }
    std::ranges::sort(found, {}, [](const fs::directory_entry& entry) { return entry.path(); });
    for (const fs::directory_entry& entry : found) {
        visit(classify(canonicalDirectory, entry));
    }
}

void forEachDatabase(const Environment& environment, const std::function<void(const DirectoryEntry&)>& visit) {
    visitTree("", environment.dataDirectory, 0, visit);
}

}  // namespace domino_sim
