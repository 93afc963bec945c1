#pragma once
// Everything that differs between operating systems: files, shared memory, cross-process locks, processes, sockets.
// Errors are std::system_error. Paths are UTF-8.

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

/** What the system writes between the parts of a path, and between the directories of PATH. */
extern const char kSeparator;
extern const char kListSeparator;

/** The C API library's file name. */
extern const char* const kLibraryName;

/** The path with the system's own separators. */
std::string nativePath(std::string_view path);

/** The same text for all spellings of one path; to compare, not to open. */
std::string pathKey(std::string_view path);

std::optional<std::string> environmentVariable(const std::string& name);

/** main's arguments in UTF-8. */
std::vector<std::string> programArguments(int argc, char** argv);

/** Where the code of this function was loaded from, if the system's loader of resources would look there too. */
std::optional<std::string> loadedFromDirectory();

/** The character set of the process's surroundings, which OSTranslate calls native. */
std::u16string utf16FromNative(std::string_view text);
std::string nativeFromUtf16(std::u16string_view text);

/** Tells two files apart, also when a deleted file's number is used again (generation = birth time). */
struct FileIdentity {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::uint64_t generation = 0;

    friend bool operator==(const FileIdentity&, const FileIdentity&) = default;
};

enum class FileMode { read, readWrite, createNew, createOrOpen };

/** One open file. Where the system can refuse it, a file open with readWrite is neither renamed nor deleted. */
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

/** A lock in shared memory that survives the death of its owner. Must lie in zeroed memory before initialise(). */
class alignas(16) RobustMutex {
public:
    void initialise();

    /** Returns true when the previous owner died while holding it: what it protects may be half done. */
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

    /** Attaches to the object or creates it; `initialise` runs once, in the process that created it. */
    static SharedMemory attach(const std::string& name, std::size_t sizeBytes, void (*initialise)(void* memory));

    /** Attaches only if it exists already. */
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

/** Where shared memory objects live, as a directory; files made there are in memory too. */
std::filesystem::path sharedMemoryDirectory();

struct ProcessIdentity {
    std::uint32_t pid = 0;
    std::uint64_t startToken = 0;  // tells a process from a later one with the same number
};

ProcessIdentity currentProcess();
bool isAlive(const ProcessIdentity& process);
bool isSuperuser();

/** Sets up COM and its security, as a library with parts in COM does. Whoever comes later is too late. */
void takeComSecurity();

/** Ends the process at once, as a crash would: no destructors, no exit handlers. */
[[noreturn]] void dieNow();

/** CLOCK_MONOTONIC, the clock of process.hrtime. */
std::int64_t monotonicNs();

/** Sleeps as exactly as the platform can (timer slack is narrowed meanwhile). */
void sleepExactlyNs(std::int64_t ns);

/** Where the server of the partition with this directory listens. */
std::string serverAddress(const std::filesystem::path& partitionDirectory);

/** Sends one line to a server and returns the answering line; empty when nobody listens. */
std::optional<std::string> askServer(const std::string& address, const std::string& line);

}  // namespace domino_sim::platform
