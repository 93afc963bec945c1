#include "shadow/session_volume.h"

#include <filesystem>
#include <optional>
#include <system_error>
#include <unordered_set>

#include "backup/path.h"
#include "backup/sync.h"
#include "backup/system_error.h"

namespace domino_vss::shadow {

using backup::Phase;

void createDirectories(const std::filesystem::path& directory) {
    std::error_code error;
    std::filesystem::create_directories(directory, error);
    if (error)
        throw backup::systemFailure(backup::code::kShadowDirectory, Phase::prepare, "mkdir", backup::utf8Of(directory),
                                    backup::systemErrorOf(error));
}

void TargetDirectories::create(std::span<const SessionVolume> volumes,
                               std::span<const backup::DatabaseSpec> databases) {
    for (const SessionVolume& volume : volumes) {
        const std::filesystem::path target = backup::pathOf(volume.target);
        createDirectories(target.parent_path());
        std::error_code error;
        const bool isNew = std::filesystem::create_directory(target, error);
        if (!isNew)
            throw backup::systemFailure(
                backup::code::kShadowDirectory, Phase::prepare, "mkdir", volume.target,
                backup::systemErrorOf(error ? error : std::make_error_code(std::errc::file_exists)));
        made_.push_back(volume.target);
    }
    std::unordered_set<std::string> known;
    for (const backup::DatabaseSpec& database : databases) {
        const std::filesystem::path parent = backup::pathOf(database.target).parent_path();
        if (known.insert(backup::utf8Of(parent)).second) createDirectories(parent);
    }
}

void TargetDirectories::sync() const {
    for (const std::string& directory : made_) backup::syncTree(directory, Phase::drain);
}

void TargetDirectories::remove() {
    removeEach(made_, removeTargetDirectory);
}

void removeEach(std::vector<std::string>& paths, void (*remove)(const std::string& path)) {
    std::optional<backup::Failure> first;
    std::erase_if(paths, [&](const std::string& path) {
        try {
            remove(path);
            return true;
        } catch (const backup::Failure& failure) {
            if (!first) first = failure;
            return false;
        }
    });
    if (first) throw backup::Failure(*first);
}

void flushVolumes(std::span<const SessionVolume> volumes, const backup::Limits& limits) {
    for (const SessionVolume& volume : volumes) {
        if (const char* reason = limits.exceeded()) throw backup::Failure(reason, Phase::prepare, "gave up flushing");
        backup::syncVolume(volume.source, Phase::prepare);
    }
}

void removeTargetDirectory(const std::string& target) {
    std::error_code error;
    std::filesystem::remove_all(backup::pathOf(target), error);
    if (error)
        throw backup::systemFailure(backup::code::kShadow, Phase::end, "unlink", target, backup::systemErrorOf(error));
}

}  // namespace domino_vss::shadow
