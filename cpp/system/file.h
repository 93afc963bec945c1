#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace domino_vss {

/// The result of a read: the number of bytes, or the system's error number.
struct ReadResult {
    std::size_t bytes = 0;  ///< 0 at the end of the file
    int error = 0;
};

/// An open file, closed by the destructor. Paths are UTF-8. Functions that return `int` return the system's error
/// number, 0 for success. They do not throw, because databases may be in backup mode.
class File {
public:
    File() = default;
    File(File&& other) noexcept;
    File& operator=(File&& other) noexcept;
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    ~File() { close(); }

    /// Opens for sequential reading, sharing all access. Never blocks; rejects anything but a regular file.
    [[nodiscard]] int openForReading(const std::string& path) noexcept;
    /// Opens for writing; fails if the file exists. On Linux only this user can access it; on Windows its directory
    /// decides.
    [[nodiscard]] int create(const std::string& path) noexcept;
    void close() noexcept;
    [[nodiscard]] bool isOpen() const noexcept { return handle_ != kNone; }

    /// Reads what is available in one call, after the end of the last read.
    [[nodiscard]] ReadResult read(std::span<char> buffer) noexcept;
    /// Writes everything.
    [[nodiscard]] int write(std::span<const char> bytes) noexcept;
    /// Distinguishes the file from all others on its volume; 0 if the system does not tell.
    [[nodiscard]] std::uint64_t number() noexcept;
    /// True if the file occupies less space than its size; its copy should be sparse too.
    [[nodiscard]] bool isSparse() noexcept;
    /// Makes an empty file sparse.
    [[nodiscard]] int allowHoles() noexcept;
    /// Leaves a hole and continues after it.
    [[nodiscard]] int skip(std::size_t bytes) noexcept;
    /// Sets the end of the file to the current position, also after a hole.
    [[nodiscard]] int endHere() noexcept;
    /// Flushes the file to disk.
    [[nodiscard]] int sync() noexcept;

private:
    static constexpr std::intptr_t kNone = -1;  // the invalid value of a descriptor and of a HANDLE

    std::intptr_t handle_ = kNone;
};

/// Reads until the buffer is full or the file ends.
[[nodiscard]] ReadResult readFully(File& file, std::span<char> buffer) noexcept;

/// Removes a file, which may be missing. Ignores errors.
void removeFile(const std::string& path) noexcept;

}  // namespace domino_vss
