#include "shadow/reflink_provider.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <utility>

#include "backup/file_descriptor.h"
#include "shadow/platform_provider.h"

namespace domino_vss::shadow {

using backup::CallStatus;
using backup::FileDescriptor;
using backup::systemStatus;

ReflinkProvider::ReflinkProvider(std::vector<SessionVolume> volumes) : volumes_(std::move(volumes)) {}

void ReflinkProvider::prepare(std::span<const backup::DatabaseSpec> databases, const backup::Limits& limits) {
    targets_.create(volumes_, databases);
    flushVolumes(volumes_, limits);
}

CallStatus ReflinkProvider::captureFile(const backup::DatabaseSpec& spec, backup::Database& /*database*/,
                                        std::uint64_t sizeBytes, const backup::Limits& /*limits*/) noexcept {
    const FileDescriptor source(::open(spec.file.c_str(), O_RDONLY | O_CLOEXEC));
    if (!source.valid()) return systemStatus(backup::code::kShadow, "open", errno);
    const FileDescriptor target(::open(spec.target.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!target.valid()) return systemStatus(backup::code::kShadow, "open", errno);
    // A refused clone is an error: a silent copy would keep the databases in backup mode for minutes.
    if (::ioctl(target.get(), FICLONE, source.get()) != 0)
        return systemStatus(backup::code::kCloneRefused, "ioctl(FICLONE)", errno);
    struct stat cloned {};
    if (::fstat(target.get(), &cloned) != 0) return systemStatus(backup::code::kShadow, "fstat", errno);
    // Shorter than at NSFBackupStart: ftruncate would fill it up with zeros.
    if (static_cast<std::uint64_t>(cloned.st_size) < sizeBytes)
        return systemStatus(backup::code::kShadow, "ioctl(FICLONE)", EIO);
    if (::ftruncate(target.get(), static_cast<off_t>(sizeBytes)) != 0)
        return systemStatus(backup::code::kShadow, "ftruncate", errno);
    return {};
}

void ReflinkProvider::remove() {
    targets_.remove();
}

/// Clones a small file of its own inside the directory.
bool probeReflink(const std::string& directory) {
    std::string sourceName = directory + "/.domino-vss-probe-XXXXXX";
    const FileDescriptor source(::mkostemp(sourceName.data(), O_CLOEXEC));
    if (!source.valid())
        throw backup::systemFailure(backup::code::kShadowDirectory, backup::Phase::probe, "mkostemp", directory, errno);
    ::unlink(sourceName.c_str());
    std::string targetName = directory + "/.domino-vss-probe-XXXXXX";
    const FileDescriptor target(::mkostemp(targetName.data(), O_CLOEXEC));
    if (!target.valid())
        throw backup::systemFailure(backup::code::kShadowDirectory, backup::Phase::probe, "mkostemp", directory, errno);
    ::unlink(targetName.c_str());
    if (::write(source.get(), "probe", 5) != 5)
        throw backup::systemFailure(backup::code::kShadowDirectory, backup::Phase::probe, "write", directory, errno);
    return ::ioctl(target.get(), FICLONE, source.get()) == 0;
}

}  // namespace domino_vss::shadow
