#include "platform.h"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <pthread.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <csignal>
#include <ctime>

#include "lmbcs.h"

namespace domino_sim::platform {

namespace {

[[noreturn]] void throwErrno(const char* what) {
    throw std::system_error(errno, std::generic_category(), what);
}

FileIdentity identityFrom(const struct statx& info) {
    const auto device = (static_cast<std::uint64_t>(info.stx_dev_major) << 32) | info.stx_dev_minor;
    const bool hasBirth = (info.stx_mask & STATX_BTIME) != 0;
    const auto birth =
        hasBirth ? static_cast<std::uint64_t>(info.stx_btime.tv_sec) * 1'000'000'000u + info.stx_btime.tv_nsec : 0;
    return {device, info.stx_ino, birth};
}

/** Field numbers as in proc(5): 3 is the state, 22 the start time. */
std::optional<std::uint64_t> startTimeOf(std::uint32_t pid) {
    char path[64];
    std::snprintf(path, sizeof path, "/proc/%u/stat", pid);
    const int descriptor = ::open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor == -1) {
        return std::nullopt;
    }
    char text[1024];
    const ssize_t length = ::read(descriptor, text, sizeof text - 1);
    ::close(descriptor);
    if (length <= 0) {
        return std::nullopt;
    }
    text[length] = 0;
    const char* field = std::strrchr(text, ')');  // the name before it may contain any characters
    if (field == nullptr || field[1] == 0 || field[2] == 'Z' || field[2] == 'X') {
        return std::nullopt;
    }
    for (int number = 3; number <= 22 && field != nullptr; ++number) {
        field = std::strchr(field + 1, ' ');
    }
    return field == nullptr ? std::nullopt : std::optional(std::strtoull(field, nullptr, 10));
}

pthread_mutex_t* native(std::byte* storage) {
    return std::launder(reinterpret_cast<pthread_mutex_t*>(storage));
}

void* mapShared(int descriptor, std::size_t sizeBytes) {
    void* data = ::mmap(nullptr, sizeBytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, descriptor, 0);
    if (data == MAP_FAILED) {
        throwErrno("mmap");
    }
    return data;
}

}  // namespace

const char kSeparator = '/';
const char kListSeparator = ':';
const char* const kLibraryName = "libnotes.so";

std::string nativePath(std::string_view path) {
    return std::string(path);
}

std::string pathKey(std::string_view path) {
    return std::string(path);
}

namespace {

thread_local std::uintptr_t number = 0;

}  // namespace

std::uintptr_t numberOfThread() {
    return number;
}

void setNumberOfThread(std::uintptr_t to) {
    number = to;
}

std::optional<std::string> environmentVariable(const std::string& name) {
    const char* value = std::getenv(name.c_str());
    return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}

std::vector<std::string> programArguments(int argc, char** argv) {
    return {argv, argv + argc};
}

std::optional<std::string> loadedFromDirectory() {
    return std::nullopt;  // LD_LIBRARY_PATH is used instead
}

std::u16string utf16FromNative(std::string_view text) {
    return lmbcs::utf16FromUtf8(text);
}

std::string nativeFromUtf16(std::u16string_view text) {
    return lmbcs::utf8FromUtf16(text);
}

File::File(const std::string& path, FileMode mode) {
    int flags = O_CLOEXEC;
    switch (mode) {
        case FileMode::read: flags |= O_RDONLY; break;
        case FileMode::readWrite: flags |= O_RDWR; break;
        case FileMode::createNew: flags |= O_RDWR | O_CREAT | O_EXCL; break;
        case FileMode::createOrOpen: flags |= O_RDWR | O_CREAT; break;
    }
    descriptor_ = ::open(path.c_str(), flags, 0666);
    if (descriptor_ == -1) {
        throwErrno("open");
    }
}

File::File(File&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

File& File::operator=(File&& other) noexcept {
    const File previous(std::move(*this));
    descriptor_ = std::exchange(other.descriptor_, -1);
    return *this;
}

File::~File() {
    if (descriptor_ != -1) {
        ::close(static_cast<int>(descriptor_));
    }
}

std::size_t File::readAt(std::uint64_t offset, std::span<std::byte> bytes) const {
    std::size_t done = 0;
    while (done < bytes.size()) {
        const ssize_t got = ::pread(static_cast<int>(descriptor_), bytes.data() + done, bytes.size() - done,
                                    static_cast<off_t>(offset + done));
        if (got == -1 && errno == EINTR) {
            continue;
        }
        if (got == -1) {
            throwErrno("pread");
        }
        if (got == 0) {
            break;
        }
        done += static_cast<std::size_t>(got);
    }
    return done;
}

void File::writeAt(std::uint64_t offset, std::span<const std::byte> bytes) const {
    std::size_t done = 0;
    while (done < bytes.size()) {
        const ssize_t put = ::pwrite(static_cast<int>(descriptor_), bytes.data() + done, bytes.size() - done,
                                     static_cast<off_t>(offset + done));
        if (put == -1 && errno == EINTR) {
            continue;
        }
        if (put == -1) {
            throwErrno("pwrite");
        }
        done += static_cast<std::size_t>(put);
    }
}

std::uint64_t File::sizeBytes() const {
    struct stat info {};
    if (::fstat(static_cast<int>(descriptor_), &info) == -1) {
        throwErrno("fstat");
    }
    return static_cast<std::uint64_t>(info.st_size);
}

void File::truncate(std::uint64_t sizeBytes) const {
    if (::ftruncate(static_cast<int>(descriptor_), static_cast<off_t>(sizeBytes)) == -1) {
        throwErrno("ftruncate");
    }
}

void File::sync() const {
    if (::fsync(static_cast<int>(descriptor_)) == -1) {
        throwErrno("fsync");
    }
}

FileIdentity File::identity() const {
    struct statx info {};
    if (::statx(static_cast<int>(descriptor_), "", AT_EMPTY_PATH, STATX_INO | STATX_BTIME, &info) == -1) {
        throwErrno("statx");
    }
    return identityFrom(info);
}

std::optional<FileIdentity> identityOf(const std::string& path) {
    struct statx info {};
    if (::statx(AT_FDCWD, path.c_str(), 0, STATX_INO | STATX_BTIME, &info) == -1) {
        return std::nullopt;
    }
    return identityFrom(info);
}

void RobustMutex::initialise() {
    static_assert(sizeof(pthread_mutex_t) <= sizeof storage_);
    pthread_mutexattr_t attributes;
    ::pthread_mutexattr_init(&attributes);
    ::pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    ::pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
    ::pthread_mutex_init(new (storage_) pthread_mutex_t, &attributes);
    ::pthread_mutexattr_destroy(&attributes);
}

bool RobustMutex::lock() {
    int result = ::pthread_mutex_trylock(native(storage_));
    while (result == EBUSY || result == ETIMEDOUT) {
        // Waits with a limit: when an owner is killed, the single waiter that the kernel wakes may be a thread of the
        // same process, which dies too, and the other waiters would sleep although the lock is free.
        constexpr std::int64_t kLongestSleepNs = 20'000'000;
        const std::int64_t deadline = monotonicNs() + kLongestSleepNs;
        const timespec until{deadline / 1'000'000'000, deadline % 1'000'000'000};
        result = ::pthread_mutex_clocklock(native(storage_), CLOCK_MONOTONIC, &until);
    }
    if (result == EOWNERDEAD) {
        ::pthread_mutex_consistent(native(storage_));
        return true;
    }
    if (result != 0) {
        throw std::system_error(result, std::generic_category(), "pthread_mutex_lock");
    }
    return false;
}

void RobustMutex::unlock() {
    ::pthread_mutex_unlock(native(storage_));
}

SharedMemory SharedMemory::attach(const std::string& name, std::size_t sizeBytes, void (*initialise)(void*)) {
    const std::string path = (sharedMemoryDirectory() / name).string();
    const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (descriptor == -1) {
        throwErrno("open shared memory");
    }
    // The file lock makes creation and first use atomic across processes.
    ::flock(descriptor, LOCK_EX);
    struct stat info {};
    ::fstat(descriptor, &info);
    SharedMemory memory;
    try {
        const bool isNew = info.st_size == 0;
        if (!isNew && static_cast<std::size_t>(info.st_size) != sizeBytes) {
            throw std::system_error(EINVAL, std::generic_category(), "shared memory of another version");
        }
        if (isNew && ::ftruncate(descriptor, static_cast<off_t>(sizeBytes)) == -1) {
            throwErrno("ftruncate shared memory");
        }
        memory.data_ = mapShared(descriptor, sizeBytes);
        memory.sizeBytes_ = sizeBytes;
        if (isNew) {
            initialise(memory.data_);
        }
    } catch (...) {
        ::close(descriptor);
        throw;
    }
    ::flock(descriptor, LOCK_UN);  // the mapping keeps the open file alive, and with it the lock
    ::close(descriptor);
    return memory;
}

std::optional<SharedMemory> SharedMemory::attachExisting(const std::string& name, std::size_t sizeBytes) {
    const std::string path = (sharedMemoryDirectory() / name).string();
    struct stat info {};
    if (::stat(path.c_str(), &info) == -1 || static_cast<std::size_t>(info.st_size) != sizeBytes) {
        return std::nullopt;
    }
    return attach(name, sizeBytes, [](void*) {});
}

SharedMemory::~SharedMemory() {
    if (data_ != nullptr) {
        ::munmap(data_, sizeBytes_);
    }
}

std::filesystem::path sharedMemoryDirectory() {
    return "/dev/shm";
}

ProcessIdentity currentProcess() {
    const auto pid = static_cast<std::uint32_t>(::getpid());
    return {pid, startTimeOf(pid).value_or(0)};
}

bool isAlive(const ProcessIdentity& process) {
    return startTimeOf(process.pid) == process.startToken;
}

void takeComSecurity() {}

bool isSuperuser() {
    return ::geteuid() == 0;
}

void dieNow() {
    ::_exit(137);
}

std::int64_t monotonicNs() {
    timespec now{};
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return static_cast<std::int64_t>(now.tv_sec) * 1'000'000'000 + now.tv_nsec;
}

void sleepExactlyNs(std::int64_t ns) {
    if (ns <= 0) {
        return;
    }
    const std::int64_t deadline = monotonicNs() + ns;
    const timespec until{deadline / 1'000'000'000, deadline % 1'000'000'000};
    const int slackNs = ::prctl(PR_GET_TIMERSLACK);
    ::prctl(PR_SET_TIMERSLACK, 1);
    while (::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr) == EINTR) {
    }
    ::prctl(PR_SET_TIMERSLACK, slackNs);
}

std::string serverAddress(const std::filesystem::path& partitionDirectory) {
    return (partitionDirectory / "server").string();
}

std::optional<std::string> askServer(const std::string& socketPath, const std::string& line) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (socketPath.size() >= sizeof address.sun_path) {
        throw std::system_error(ENAMETOOLONG, std::generic_category(), "socket path");
    }
    std::memcpy(address.sun_path, socketPath.data(), socketPath.size());
    const int descriptor = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (descriptor == -1) {
        throwErrno("socket");
    }
    std::string answer;
    if (::connect(descriptor, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
        const std::string request = line + "\n";
        if (::send(descriptor, request.data(), request.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(request.size())) {
            char piece[4096];
            ssize_t got = 0;
            while (!answer.ends_with('\n') && (got = ::recv(descriptor, piece, sizeof piece, 0)) > 0) {
                answer.append(piece, static_cast<std::size_t>(got));
            }
        }
    }
    ::close(descriptor);
    if (!answer.ends_with('\n')) {
        return std::nullopt;
    }
    answer.pop_back();
    return answer;
}

}  // namespace domino_sim::platform
