#include "shadow/session_volume.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
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

void TargetDirectories::remove() {
    for (; !made_.empty(); made_.pop_back()) removeTargetDirectory(made_.back());
}

void flushVolumes(std::span<const SessionVolume> volumes, const backup::Limits& limits) {
    for (const SessionVolume& volume : volumes) {
        if (const char* reason = limits.exceeded()) throw backup::Failure(reason, Phase::prepare, "gave up flushing");
        const backup::FileDescriptor descriptor(::open(volume.source.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        if (!descriptor.valid())
            throw backup::systemFailure(backup::code::kShadow, Phase::prepare, "open", volume.source, errno);
        if (::syncfs(descriptor.get()) != 0)
            throw backup::systemFailure(backup::code::kShadow, Phase::prepare, "syncfs", volume.source, errno);
    }
}

void removeTargetDirectory(const std::string& target) {
    std::error_code error;
    std::filesystem::remove_all(target, error);
    if (error) throw backup::systemFailure(backup::code::kShadow, Phase::end, "unlink", target, error.value());
}

}  // namespace domino_vss::shadow
