#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "system/failure.h"
#include "system/file.h"

namespace domino_vss::engine {

/// Where the change information of the database with this number is.
[[nodiscard]] inline std::filesystem::path deltaFileOf(const std::filesystem::path& directory, std::size_t index) {
    return directory / (std::to_string(index) + ".delta");
}

/// A file that is written once, front to back, and synced. The destructor removes it unless `keep` was called, so no
/// failure leaves a partial delta or the delta of a skipped database. Used by one thread.
class DeltaFile {
public:
    /// The path is UTF-8.
    explicit DeltaFile(std::string path);
    DeltaFile(const DeltaFile&) = delete;
    DeltaFile& operator=(const DeltaFile&) = delete;
    ~DeltaFile();

    [[nodiscard]] CallStatus open() noexcept;
    [[nodiscard]] CallStatus append(std::span<const char> bytes) noexcept;
    /// Writes the buffer and syncs the file. The directory is synced once per session, not here.
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
