#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace domino_vss {

/// What a read has brought, or the number of the system's error.
struct ReadResult {
    std::size_t bytes = 0;  ///< 0 is the end of the file
    int error = 0;
};

/// An open file, closed by its destructor. Paths are UTF-8. Functions that answer an `int` answer the system's error
/// number, 0 for success. Nothing throws, for databases are in backup mode meanwhile.
class File {
public:
    File() = default;
    File(File&& other) noexcept;
    File& operator=(File&& other) noexcept;
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    ~File() { close(); }

    /// For reading from front to back, whoever else has it open. Never blocks; what is no regular file is refused.
    [[nodiscard]] int openForReading(const std::string& path) noexcept;
    /// For writing; the file must not exist. Only this user can read it.
    [[nodiscard]] int create(const std::string& path) noexcept;
    void close() noexcept;
    [[nodiscard]] bool isOpen() const noexcept { return handle_ != kNone; }

    /// As much as comes at once, from where the last read ended.
    [[nodiscard]] ReadResult read(std::span<char> buffer) noexcept;
    /// All of it.
    [[nodiscard]] int write(std::span<const char> bytes) noexcept;
    /// Whether the file takes less room than its size: then its copy should too.
    [[nodiscard]] bool isSparse() noexcept;
    /// Lets an empty file have holes.
    [[nodiscard]] int allowHoles() noexcept;
    /// Goes on behind a hole.
    [[nodiscard]] int skip(std::size_t bytes) noexcept;
    /// The file ends where the next byte would go, after a hole too.
    [[nodiscard]] int endHere() noexcept;
    /// What was written reaches the disk.
    [[nodiscard]] int sync() noexcept;

private:
    static constexpr std::intptr_t kNone = -1;  // of a descriptor as of a HANDLE

    std::intptr_t handle_ = kNone;
};

/// Reads until the buffer is full or the file ends.
[[nodiscard]] ReadResult readFully(File& file, std::span<char> buffer) noexcept;

/// Removes a file that need not be there.
void removeFile(const std::string& path) noexcept;

}  // namespace domino_vss
