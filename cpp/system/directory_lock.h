#pragma once

#include <optional>
#include <string>

#ifdef _WIN32
#include "system/windows_resources.h"
#else
#include "system/file_descriptor.h"
#endif

namespace domino_vss {

/// Says on this machine that somebody works on a directory, whatever name it is reached by. The operating system lets
/// go of it when the process ends, however it ends, so nothing of it has to be cleaned up.
class DirectoryLock {
public:
    /// Does not wait. Empty when somebody else has it, in this process or in another one. Throws Failure when the
    /// directory cannot be opened.
    [[nodiscard]] static std::optional<DirectoryLock> tryTake(const std::string& directory);

private:
#ifdef _WIN32
    explicit DirectoryLock(unique_handle handle) noexcept : handle_(std::move(handle)) {}
    unique_handle handle_;  // a named mutex: that it exists is the lock, nobody waits for it
#else
    explicit DirectoryLock(FileDescriptor descriptor) noexcept : descriptor_(std::move(descriptor)) {}
    FileDescriptor descriptor_;  // the directory itself, under flock(2)
#endif
};

}  // namespace domino_vss
