#include "shadow/session_volume.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <optional>
#include <system_error>
#include <unordered_set>

#include "backup/file_descriptor.h"

namespace domino_vss::shadow {

using backup::Phase;

void createDirectories(const std::filesystem::path& directory) {
    std::error_code error;
    std::filesystem::create_directories(directory, error);
    if (error)
        throw backup::systemFailure(backup::code::kShadowDirectory, Phase::prepare, "mkdir", directory.string(),
                                    error.value());
}

namespace {

void syncFileSystem(const std::string& directory, Phase phase) {
    const backup::FileDescriptor descriptor(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!descriptor.valid()) throw backup::systemFailure(backup::code::kShadow, phase, "open", directory, errno);
    if (::syncfs(descriptor.get()) != 0)
        throw backup::systemFailure(backup::code::kShadow, phase, "syncfs", directory, errno);
}

}  // namespace

void TargetDirectories::create(std::span<const SessionVolume> volumes,
                               std::span<const backup::DatabaseSpec> databases) {
    for (const SessionVolume& volume : volumes) {
        createDirectories(std::filesystem::path(volume.target).parent_path());
        std::error_code error;
        const bool isNew = std::filesystem::create_directory(volume.target, error);
        if (!isNew)
            throw backup::systemFailure(backup::code::kShadowDirectory, Phase::prepare, "mkdir", volume.target,
                                        error ? error.value() : EEXIST);
        made_.push_back(volume.target);
    }
    std::unordered_set<std::string> known;
    for (const backup::DatabaseSpec& database : databases) {
        const std::filesystem::path parent = std::filesystem::path(database.target).parent_path();
        if (known.insert(parent.string()).second) createDirectories(parent);
    }
}

void TargetDirectories::sync() const {
    for (const std::string& directory : made_) syncFileSystem(directory, Phase::drain);
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
        syncFileSystem(volume.source, Phase::prepare);
    }
}

void removeTargetDirectory(const std::string& target) {
    std::error_code error;
    std::filesystem::remove_all(target, error);
    if (error) throw backup::systemFailure(backup::code::kShadow, Phase::end, "unlink", target, error.value());
}

}  // namespace domino_vss::shadow
