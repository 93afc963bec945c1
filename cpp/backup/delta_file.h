#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

#include "backup/failure.h"
#include "backup/file_descriptor.h"

namespace domino_vss::backup {

/// A file written once from front to back and synced. Removes itself unless `keep` was called, so that no failure path
/// leaves half a delta behind, nor one of a database that was left out. Owned by one thread.
class DeltaFile {
public:
    explicit DeltaFile(std::filesystem::path path);
    DeltaFile(const DeltaFile&) = delete;
    DeltaFile& operator=(const DeltaFile&) = delete;
    ~DeltaFile();

    [[nodiscard]] CallStatus open() noexcept;
    [[nodiscard]] CallStatus append(std::span<const char> bytes) noexcept;
    /// Writes what is buffered and syncs. The directory is synced once per session, not here.
    [[nodiscard]] CallStatus finish() noexcept;
    void keep() noexcept { kept_ = true; }

private:
    [[nodiscard]] CallStatus writeBuffered() noexcept;

    std::filesystem::path path_;
    std::vector<char> buffer_;
    FileDescriptor descriptor_;
    bool kept_ = false;
};

/// Makes the names of new files in a directory durable. Throws Failure.
void syncDirectory(const std::filesystem::path& directory, const char* code, Phase phase);

}  // namespace domino_vss::backup
