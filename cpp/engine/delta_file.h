#pragma once

#include <span>
#include <string>
#include <vector>

#include "system/failure.h"
#include "system/file.h"

namespace domino_vss::engine {

/// A file written once from front to back and synced. Removes itself unless `keep` was called, so that no failure path
/// leaves half a delta behind, nor one of a database that was left out. Owned by one thread.
class DeltaFile {
public:
    /// The path is UTF-8.
    explicit DeltaFile(std::string path);
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

    std::string path_;
    std::vector<char> buffer_;
    File file_;
    bool kept_ = false;
};

}  // namespace domino_vss::engine
