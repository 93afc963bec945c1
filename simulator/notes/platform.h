#pragma once
// Everything that differs between operating systems: files, shared memory, cross-process locks, processes, sockets.
// Errors are reported as std::system_error. Paths are UTF-8.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace domino_sim::platform {

/** The separator between the components of a path, and between the directories of PATH. */
extern const char kSeparator;
extern const char kListSeparator;

/** The file name of the C API library. */
extern const char* const kLibraryName;

/** The path with the system's separators. */
std::string nativePath(std::string_view path);

/** A key that is the same for all spellings of a path; for comparison, not for opening. */
std::string pathKey(std::string_view path);

std::optional<std::string> environmentVariable(const std::string& name);

/** The arguments of main in UTF-8. */
std::vector<std::string> programArguments(int argc, char** argv);

/** The directory that this code was loaded from, if the system's loader would look for resources there too. */
std::optional<std::string> loadedFromDirectory();

/** A number that each thread has for itself; 0 until it is set. */
std::uintptr_t numberOfThread();
void setNumberOfThread(std::uintptr_t number);

/** Converts from and to the character set of the process's environment, which OSTranslate calls native. */
std::u16string utf16FromNative(std::string_view text);
std::string nativeFromUtf16(std::u16string_view text);

/** Identifies a file, even if the number of a deleted file is reused (generation = birth time). */
struct FileIdentity {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::uint64_t generation = 0;

    friend bool operator==(const FileIdentity&, const FileIdentity&) = default;
};

enum class FileMode { read, readWrite, createNew, createOrOpen };

/** An open file. If the system supports it, a file opened with readWrite can be neither renamed nor deleted. */
class File {
public:
    File() = default;
    File(const std::string& path, FileMode mode);
    File(File&& other) noexcept;
    File& operator=(File&& other) noexcept;
    ~File();

    bool isOpen() const { return descriptor_ != -1; }
    std::size_t readAt(std::uint64_t offset, std::span<std::byte> bytes) const;
    void writeAt(std::uint64_t offset, std::span<const std::byte> bytes) const;
    std::uint64_t sizeBytes() const;
    void truncate(std::uint64_t sizeBytes) const;
    void sync() const;
    FileIdentity identity() const;

private:
    std::intptr_t descriptor_ = -1;
};

std::optional<FileIdentity> identityOf(const std::string& path);

/** A lock in shared memory that survives the death of its owner. Must be in zeroed memory before initialise(). */
class alignas(16) RobustMutex {
public:
    void initialise();

    /** Returns true if the previous owner died while holding it; the data it protects may be inconsistent. */
    [[nodiscard]] bool lock();
    void unlock();

private:
    std::byte storage_[48];
};

class RobustLock {
public:
    explicit RobustLock(RobustMutex& mutex) : mutex_(&mutex), previousOwnerDied_(mutex.lock()) {}
    RobustLock(const RobustLock&) = delete;
    RobustLock& operator=(const RobustLock&) = delete;
    ~RobustLock() { mutex_->unlock(); }

    bool previousOwnerDied() const { return previousOwnerDied_; }

private:
    RobustMutex* mutex_;
    bool previousOwnerDied_;
};

/** A zero-filled, sparsely backed memory object mapped into this process. */
class SharedMemory {
public:
    SharedMemory() = default;

    /** Attaches to the object or creates it. `initialise` runs once, in the process that creates it. */
    static SharedMemory attach(const std::string& name, std::size_t sizeBytes, void (*initialise)(void* memory));

    /** Attaches only if the object exists. */
    static std::optional<SharedMemory> attachExisting(const std::string& name, std::size_t sizeBytes);

    SharedMemory(SharedMemory&& other) noexcept
        : data_(std::exchange(other.data_, nullptr)), sizeBytes_(std::exchange(other.sizeBytes_, 0)) {}
    SharedMemory& operator=(SharedMemory&& other) noexcept {
        std::swap(data_, other.data_);
        std::swap(sizeBytes_, other.sizeBytes_);
        return *this;
    }
    ~SharedMemory();

    void* data() const { return data_; }

private:
    void* data_ = nullptr;
    std::size_t sizeBytes_ = 0;
};

/** The directory of the shared memory objects. Files created there are in memory too. */
std::filesystem::path sharedMemoryDirectory();

struct ProcessIdentity {
    std::uint32_t pid = 0;
    std::uint64_t startToken = 0;  // distinguishes a process from a later one with the same number
};

ProcessIdentity currentProcess();
bool isAlive(const ProcessIdentity& process);
bool isSuperuser();

/** Sets up COM and its security, like a library that uses COM. Later attempts in the process fail. */
void takeComSecurity();

/** Ends the process at once, like a crash: no destructors, no exit handlers. */
[[noreturn]] void dieNow();

/** CLOCK_MONOTONIC, the clock of process.hrtime. */
std::int64_t monotonicNs();

/** Sleeps as precisely as the platform allows (on Linux with reduced timer slack). */
void sleepExactlyNs(std::int64_t ns);

/** The address at which the server of the partition with this directory listens. */
std::string serverAddress(const std::filesystem::path& partitionDirectory);

/** Sends one line to a server and returns its answer; empty if no server listens. */
std::optional<std::string> askServer(const std::string& address, const std::string& line);

}  // namespace domino_sim::platform
