#pragma once
// State that outlives processes and is shared by them is kept in files below the state directory.

#include <windows.h>

#include <filesystem>
#include <utility>

namespace vss_simulator {

/** Created if it is missing. */
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

/** The system releases the lock when the process dies. Closing unlocks. */
File lockFile(const std::filesystem::path& file);
/** Not open if somebody else has the lock. */
File tryLockFile(const std::filesystem::path& file);

/**
 * A file that nobody else can open while this process holds it, and that is removed when the process ends in any way.
 * isOwned(), called in another process, tells whether the holder is alive.
 */
File ownFile(const std::filesystem::path& file);
bool isOwned(const std::filesystem::path& file);

/** Locks out `shared` users of the byte, waiting up to the given time. Returns false if the time is over. */
bool lockByteExclusively(const File& file, DWORD offset, DWORD milliseconds);

}  // namespace vss_simulator
