#pragma once
// What outlives a process and is shared by all of them is a file below the state directory.

#include <windows.h>

#include <filesystem>
#include <utility>

namespace vss_simulator {

/** Made when it is missing. */
const std::filesystem::path& stateDirectory();

class File {
public:
    File() = default;
    explicit File(HANDLE handle) : handle_(handle) {}
    File(File&& other) noexcept : handle_(std::exchange(other.handle_, INVALID_HANDLE_VALUE)) {}
    File& operator=(File&& other) noexcept {
        std::swap(handle_, other.handle_);
        return *this;
    }
    ~File() {
        if (isOpen()) CloseHandle(handle_);
    }
    bool isOpen() const { return handle_ != INVALID_HANDLE_VALUE; }
    HANDLE get() const { return handle_; }
    void close() { *this = File(); }

private:
    HANDLE handle_ = INVALID_HANDLE_VALUE;
};

/** The system takes a lock away from a process that dies. Unlocking is closing. */
File lockFile(const std::filesystem::path& file);
/** Not open when somebody else has it. */
File tryLockFile(const std::filesystem::path& file);

/**
 * A file nobody else can open while this process holds it, and that is gone afterwards, however the process ends.
 * isOwned() of another process tells whether the holder lives.
 */
File ownFile(const std::filesystem::path& file);
bool isOwned(const std::filesystem::path& file);

/** Keeps `shared` users of the byte out, or waits at most that long; false when the time is over. */
bool lockByteExclusively(const File& file, DWORD offset, DWORD milliseconds);

}  // namespace vss_simulator
