#include <fcntl.h>
#include <sys/file.h>

#include <cerrno>

#include "system/directory_lock.h"
#include "system/failure.h"

namespace domino_vss {

std::optional<DirectoryLock> DirectoryLock::tryTake(const std::string& directory) {
    // O_CLOEXEC, because a child that outlives us must not keep the lock.
    FileDescriptor descriptor(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!descriptor.valid()) throw systemFailure(code::kFind, Phase::prepare, "open", directory, errno);
    if (::flock(descriptor.get(), LOCK_EX | LOCK_NB) == 0) return DirectoryLock(std::move(descriptor));
    if (errno == EWOULDBLOCK) return std::nullopt;
    // On NFS, an exclusive flock needs a descriptor open for writing, which a directory cannot have; other file systems
    // support no locks. There, only the journal in the delta directory protects it.
    if (errno == EBADF || errno == ENOLCK || errno == EOPNOTSUPP) return DirectoryLock(std::move(descriptor));
    throw systemFailure(code::kFind, Phase::prepare, "flock", directory, errno);
}

}  // namespace domino_vss
