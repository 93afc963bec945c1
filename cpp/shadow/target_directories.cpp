#include "shadow/target_directories.h"

#include <filesystem>
#include <optional>
#include <system_error>
#include <unordered_set>

#include "system/current_call.h"
#include "system/path.h"
#include "system/remove_tree.h"
#include "system/sync.h"
#include "system/system_error.h"

namespace domino_vss::shadow {

namespace {

/// For its owner only, whatever the umask of the program is. A file system without modes may refuse it.
void makePrivate(const std::filesystem::path& directory) {
    std::error_code error;
    std::filesystem::permissions(directory, std::filesystem::perms::owner_all, error);
}

}  // namespace

void createDirectories(const std::filesystem::path& directory) {
    std::error_code error;
    CurrentCall::note("mkdir", utf8Of(directory));
    if (std::filesystem::is_directory(directory, error)) return;
    if (directory.has_relative_path()) createDirectories(directory.parent_path());
    if (std::filesystem::create_directory(directory, error)) makePrivate(directory);
    if (error == std::errc::file_exists) error = std::make_error_code(std::errc::not_a_directory);
    if (error)
        throw systemFailure(code::kShadowDirectory, Phase::prepare, "mkdir", utf8Of(directory), systemErrorOf(error));
}

void TargetDirectories::create(std::span<const SessionVolume> volumes,
                               std::span<const engine::DatabaseSpec> databases) {
    for (const SessionVolume& volume : volumes) {
        const std::filesystem::path target = pathOf(volume.target);
        createDirectories(target.parent_path());
        std::error_code error;
        CurrentCall::note("mkdir", volume.target);
        const bool isNew = std::filesystem::create_directory(target, error);
        if (!isNew)
            throw systemFailure(code::kShadowDirectory, Phase::prepare, "mkdir", volume.target,
                                systemErrorOf(error ? error : std::make_error_code(std::errc::file_exists)));
        made_.push_back(volume.target);
        makePrivate(target);
    }
    std::unordered_set<std::string> known;
    for (const engine::DatabaseSpec& database : databases) {
        const std::filesystem::path parent = pathOf(database.target).parent_path();
        if (known.insert(utf8Of(parent)).second) createDirectories(parent);
    }
}

void TargetDirectories::sync() const {
    for (const std::string& directory : made_) syncTree(directory, Phase::drain);
}

void TargetDirectories::remove() {
    removeEach(made_, removeTargetDirectory);
}

void removeEach(std::vector<std::string>& paths, void (*remove)(const std::string& path)) {
    std::optional<Failure> first;
    std::erase_if(paths, [&](const std::string& path) {
        try {
            remove(path);
            return true;
        } catch (const Failure& failure) {
            if (!first) first = failure;
            return false;
        }
    });
    if (first) throw Failure(*first);
}

void removeTargetDirectory(const std::string& target) {
    removeTree(target, code::kShadow);
}

}  // namespace domino_vss::shadow
