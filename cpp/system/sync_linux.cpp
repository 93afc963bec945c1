#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "system/current_call.h"
#include "system/file_descriptor.h"
#include "system/sync.h"

namespace domino_vss {

void syncDirectory(const std::filesystem::path& directory, const char* code, Phase phase) {
    const FileDescriptor descriptor(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!descriptor.valid()) throw systemFailure(code, phase, "open", directory.string(), errno);
    if (::fsync(descriptor.get()) != 0) throw systemFailure(code, phase, "fsync", directory.string(), errno);
}

void syncVolume(const std::string& directory, Phase phase) {
    CurrentCall::note("open", directory);
    const FileDescriptor descriptor(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!descriptor.valid()) throw systemFailure(code::kShadow, phase, "open", directory, errno);
    CurrentCall::note("syncfs", directory);
    if (::syncfs(descriptor.get()) != 0) throw systemFailure(code::kShadow, phase, "syncfs", directory, errno);
}

void syncTree(const std::string& directory, Phase phase) {
    // One call flushes thousands of files and their names.
    syncVolume(directory, phase);
}

}  // namespace domino_vss
