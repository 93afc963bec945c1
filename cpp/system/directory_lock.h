#pragma once

#include <optional>
#include <string>

#ifdef _WIN32
#include "system/windows_resources.h"
#else
#include "system/file_descriptor.h"
#endif

namespace domino_vss {

/// A machine-wide lock on a directory, whichever path it is reached by. The operating system releases it when the
/// process ends in any way, so it never has to be cleaned up.
class DirectoryLock {
public:
    /// Does not wait. Empty if this or another process has the lock. Throws Failure if the directory cannot be opened.
    [[nodiscard]] static std::optional<DirectoryLock> tryTake(const std::string& directory);

private:
#ifdef _WIN32
    explicit DirectoryLock(unique_handle handle) noexcept : handle_(std::move(handle)) {}
    unique_handle handle_;  // a named mutex: its existence is the lock, nobody waits for it
#else
    explicit DirectoryLock(FileDescriptor descriptor) noexcept : descriptor_(std::move(descriptor)) {}
    FileDescriptor descriptor_;  // of the directory, with flock(2)
#endif
};

}  // namespace domino_vss
