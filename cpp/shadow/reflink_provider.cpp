#include "shadow/reflink_provider.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "engine/flush.h"
#include "shadow/platform_provider.h"
#include "system/current_call.h"
#include "system/file_descriptor.h"
#include "system/system_error.h"

namespace domino_vss::shadow {

ReflinkProvider::ReflinkProvider(std::vector<SessionVolume> volumes) : volumes_(std::move(volumes)) {}

void ReflinkProvider::prepare(std::span<const engine::DatabaseSpec> databases, const engine::Limits& limits) {
    targets_.create(volumes_, databases);
    for (const engine::DatabaseSpec& database : databases) {
        if (const char* reason = limits.exceeded())
            throw Failure(reason, Phase::prepare, "gave up creating empty files");
        CurrentCall::note("open", database.target);
        const FileDescriptor target(::open(database.target.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
        if (!target.valid()) throw systemFailure(code::kShadow, Phase::prepare, "open", database.target, errno);
        clones_.push_back(database.target);
        // It is opened once more, whatever the umask of the program is.
        static_cast<void>(::fchmod(target.get(), S_IRUSR | S_IWUSR));
    }
    engine::flushVolumes(sourcesOf(volumes_), limits);
}

CallStatus ReflinkProvider::captureFile(const engine::DatabaseSpec& spec, engine::HighWaterMarks& /*marks*/,
                                        std::uint64_t sizeBytes, const engine::Limits& /*limits*/) {
    return cloneFile(spec, sizeBytes);
}

/// Removes the clones of skipped databases. They are still empty and must not be mistaken for databases.
void ReflinkProvider::afterWindow(const engine::Limits& /*limits*/) {
    for (const std::string& clone : clones_) {
        std::error_code error;
        CurrentCall::note("stat", clone);
        if (std::filesystem::file_size(clone, error) == 0) std::filesystem::remove(clone, error);
        if (error) throw systemFailure(code::kShadow, Phase::drain, "unlink", clone, systemErrorOf(error));
    }
}

void ReflinkProvider::remove() {
    targets_.remove();
}

CallStatus cloneFile(const engine::DatabaseSpec& spec, std::uint64_t sizeBytes) noexcept {
    const FileDescriptor from(::open(spec.file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (!from.valid())
        return errno == ENOENT ? engineStatus(code::kDatabaseVanished) : systemStatus(code::kShadow, "open", errno);
    struct stat found {};
    if (::fstat(from.get(), &found) != 0) return systemStatus(code::kShadow, "fstat", errno);
    // Domino has the database open, but its name may lead to another file by now.
    if (spec.fileNumber != 0 && found.st_ino != spec.fileNumber) return engineStatus(code::kDatabaseReplaced);
    const FileDescriptor to(::open(spec.target.c_str(), O_WRONLY | O_NOFOLLOW | O_CLOEXEC));
    if (!to.valid()) return systemStatus(code::kShadow, "open", errno);
    // A refused clone is an error: falling back to a copy would keep the databases in backup mode for minutes.
    if (::ioctl(to.get(), FICLONE, from.get()) != 0) return systemStatus(code::kCloneRefused, "ioctl(FICLONE)", errno);
    struct stat cloned {};
    if (::fstat(to.get(), &cloned) != 0) return systemStatus(code::kShadow, "fstat", errno);
    const auto clonedBytes = static_cast<std::uint64_t>(cloned.st_size);
    // The file is shorter than at NSFBackupStart, and Domino shortens none in backup mode; ftruncate would extend it
    // with zeros.
    if (clonedBytes < sizeBytes) return engineStatus(code::kDatabaseReplaced);
    if (clonedBytes > sizeBytes && ::ftruncate(to.get(), static_cast<off_t>(sizeBytes)) != 0)
        return systemStatus(code::kShadow, "ftruncate", errno);
    return {};
}

namespace {

/// A file without a name, so that nothing of it can be left. Not all file systems have them: there it has one for an
/// instant.
FileDescriptor temporaryFile(const std::string& directory) {
    FileDescriptor unnamed(::open(directory.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
    if (unnamed.valid() || (errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL)) return unnamed;
    std::string name = directory + "/.domino-vss-probe-XXXXXX";
    FileDescriptor named(::mkostemp(name.data(), O_CLOEXEC));
    if (named.valid()) ::unlink(name.c_str());
    return named;
}

}  // namespace

/// Clones a small temporary file inside the directory.
bool probeReflink(const std::string& directory) {
    const FileDescriptor source = temporaryFile(directory);
    if (!source.valid()) throw systemFailure(code::kShadowDirectory, Phase::probe, "open", directory, errno);
    const FileDescriptor target = temporaryFile(directory);
    if (!target.valid()) throw systemFailure(code::kShadowDirectory, Phase::probe, "open", directory, errno);
    if (::write(source.get(), "probe", 5) != 5)
        throw systemFailure(code::kShadowDirectory, Phase::probe, "write", directory, errno);
    return ::ioctl(target.get(), FICLONE, source.get()) == 0;
}

}  // namespace domino_vss::shadow
