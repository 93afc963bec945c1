#include "platform.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

#include "utf8_path.h"
#include "windows_handle.h"

#include <shellapi.h>
#include <winioctl.h>

namespace domino_sim::platform {

namespace {

constexpr DWORD kShareAll = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;
#ifndef CREATE_WAITABLE_TIMER_HIGH_RESOLUTION  // newer than the headers of mingw-w64 10
constexpr DWORD CREATE_WAITABLE_TIMER_HIGH_RESOLUTION = 2;
#endif
constexpr std::int64_t kTicksPerSecond = 10'000'000;  // for FILETIME and timers

HANDLE handleOf(std::intptr_t descriptor) {
    return reinterpret_cast<HANDLE>(descriptor);
}

OVERLAPPED at(std::uint64_t offset) {
    OVERLAPPED where{};
    where.Offset = static_cast<DWORD>(offset);
    where.OffsetHigh = static_cast<DWORD>(offset >> 32);
    return where;
}

DWORD asDword(std::size_t bytes) {
    return static_cast<DWORD>(std::min<std::size_t>(bytes, 1u << 30));
}

/** Without a birth time: NTFS file numbers contain a reuse counter, and a new file may inherit a birth time. */
std::optional<FileIdentity> identityFrom(HANDLE file) {
    FILE_ID_INFO info{};
    if (::GetFileInformationByHandleEx(file, FileIdInfo, &info, sizeof info) == 0) {
        return std::nullopt;
    }
    FileIdentity identity;
    identity.device = info.VolumeSerialNumber;
    std::memcpy(&identity.inode, info.FileId.Identifier, sizeof identity.inode);
    std::memcpy(&identity.generation, info.FileId.Identifier + sizeof identity.inode, sizeof identity.generation);
    return identity;
}

std::uint64_t sizeOf(HANDLE file) {
    LARGE_INTEGER size{};
    if (::GetFileSizeEx(file, &size) == 0) {
        throwLastError("GetFileSizeEx");
    }
    return static_cast<std::uint64_t>(size.QuadPart);
}

void setSize(HANDLE file, std::uint64_t sizeBytes) {
    FILE_END_OF_FILE_INFO end{};
    end.EndOfFile.QuadPart = static_cast<LONGLONG>(sizeBytes);
    if (::SetFileInformationByHandle(file, FileEndOfFileInfo, &end, sizeof end) == 0) {
        throwLastError("SetFileInformationByHandle");
    }
}

std::uint64_t creationTimeOf(HANDLE process) {
    FILETIME created{};
    FILETIME other{};
    if (::GetProcessTimes(process, &created, &other, &other, &other) == 0) {
        return 0;
    }
    return (static_cast<std::uint64_t>(created.dwHighDateTime) << 32) | created.dwLowDateTime;
}

/** Calls `isIt` with the creation time of the living process with this id. */
template <typename Predicate>
bool livesAs(std::uint32_t pid, const Predicate& isIt) {
    const UniqueHandle process(::OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION | SYNCHRONIZE, FALSE, pid));
    if (process == nullptr) {
        return ::GetLastError() == ERROR_ACCESS_DENIED;  // it exists, but cannot be queried
    }
    return ::WaitForSingleObject(process.get(), 0) == WAIT_TIMEOUT && isIt(creationTimeOf(process.get()));
}

/** The owner of a RobustMutex: the process id and as many bits of its creation time as fit. */
using OwnerWord = std::uint64_t;

OwnerWord ownerWordOf(const ProcessIdentity& process) {
    return (process.startToken << 32) | process.pid;
}

bool isOwnerAlive(OwnerWord owner) {
    return livesAs(static_cast<std::uint32_t>(owner),
                   [&](std::uint64_t created) { return created << 32 == (owner & ~std::uint64_t{0xffff'ffff}); });
}

struct LockWords {
    std::atomic<OwnerWord> owner{0};
    std::atomic<std::int64_t> lastWaitNs{0};
};

LockWords& wordsIn(std::byte* storage) {
    return *std::launder(reinterpret_cast<LockWords*>(storage));
}

/** Makes creation and first use of a file atomic across processes. */
class FileLock {
public:
    explicit FileLock(HANDLE file) : file_(file), where_(at(kBeyondEveryFile)) {
        if (::LockFileEx(file_, LOCKFILE_EXCLUSIVE_LOCK, 0, 1, 0, &where_) == 0) {
            throwLastError("LockFileEx");
        }
    }
    FileLock(const FileLock&) = delete;
    FileLock& operator=(const FileLock&) = delete;
    ~FileLock() { ::UnlockFileEx(file_, 0, 1, 0, &where_); }

private:
    static constexpr std::uint64_t kBeyondEveryFile = std::uint64_t{1} << 62;

    HANDLE file_;
    OVERLAPPED where_;
};

std::wstring sharedMemoryPath(const std::string& name) {
    return (sharedMemoryDirectory() / name).wstring();
}

std::u16string utf16FromWide(std::wstring_view wide) {
    return {wide.begin(), wide.end()};
}

}  // namespace

const char kSeparator = '\\';
const char kListSeparator = ';';
const char* const kLibraryName = "nnotes.dll";

std::string nativePath(std::string_view path) {
    std::string result(path);
    std::ranges::replace(result, '/', '\\');
    return result;
}

std::string pathKey(std::string_view path) {
    std::wstring wide = wideOf(nativePath(path));
    ::CharUpperBuffW(wide.data(), static_cast<DWORD>(wide.size()));
    return utf8Of(wide);
}

namespace {

// Not thread_local: mingw-w64 finds that through the thread library of this DLL, and the threads are those of another
// one. Some were seen to lose their state on a busy machine.
DWORD threadSlot() {
    static const DWORD slot = TlsAlloc();
    return slot;
}

}  // namespace

std::uintptr_t numberOfThread() {
    return reinterpret_cast<std::uintptr_t>(TlsGetValue(threadSlot()));
}

void setNumberOfThread(std::uintptr_t number) {
    TlsSetValue(threadSlot(), reinterpret_cast<void*>(number));
}

std::optional<std::string> environmentVariable(const std::string& name) {
    // Not getenv: the C library's copy does not reflect changes by other runtimes in the process.
    const std::wstring wideName = wideOf(name);
    std::wstring value(::GetEnvironmentVariableW(wideName.c_str(), nullptr, 0), L'\0');
    if (value.empty()) {
        return std::nullopt;
    }
    value.resize(::GetEnvironmentVariableW(wideName.c_str(), value.data(), static_cast<DWORD>(value.size())));
    return utf8Of(value);
}

std::vector<std::string> programArguments(int, char**) {
    // The arguments of main were converted to the code page.
    struct LocalFreer {
        void operator()(wchar_t** words) const { ::LocalFree(words); }
    };
    int count = 0;
    const std::unique_ptr<wchar_t*, LocalFreer> words(::CommandLineToArgvW(::GetCommandLineW(), &count));
    std::vector<std::string> result;
    for (int i = 0; i < count; ++i) {
        result.push_back(utf8Of(words.get()[i]));
    }
    return result;
}

std::optional<std::string> loadedFromDirectory() {
    HMODULE module = nullptr;
    wchar_t path[32768];
    if (::GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT,
                             reinterpret_cast<LPCWSTR>(&loadedFromDirectory), &module) == 0) {
        return std::nullopt;
    }
    const DWORD length = ::GetModuleFileNameW(module, path, static_cast<DWORD>(std::size(path)));
    return std::filesystem::path(std::wstring_view(path, length)).parent_path().string();
}

std::u16string utf16FromNative(std::string_view text) {
    return utf16FromWide(wideFrom(CP_ACP, text));
}

std::string nativeFromUtf16(std::u16string_view text) {
    return narrowIn(CP_ACP, std::wstring(text.begin(), text.end()));
}

File::File(const std::string& path, FileMode mode) {
    const DWORD access = mode == FileMode::read ? GENERIC_READ : GENERIC_READ | GENERIC_WRITE;
    const DWORD share = mode == FileMode::readWrite ? FILE_SHARE_READ | FILE_SHARE_WRITE : kShareAll;
    const DWORD creation = mode == FileMode::createNew      ? CREATE_NEW
                           : mode == FileMode::createOrOpen ? OPEN_ALWAYS
                                                            : OPEN_EXISTING;
    const HANDLE file =
        ::CreateFileW(wideOf(path).c_str(), access, share, nullptr, creation, FILE_ATTRIBUTE_NORMAL, nullptr);
    if (file == INVALID_HANDLE_VALUE) {
        throwLastError("CreateFile");
    }
    descriptor_ = reinterpret_cast<std::intptr_t>(file);
}

File::File(File&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

File& File::operator=(File&& other) noexcept {
    const File previous(std::move(*this));
    descriptor_ = std::exchange(other.descriptor_, -1);
    return *this;
}

File::~File() {
    if (descriptor_ != -1) {
        ::CloseHandle(handleOf(descriptor_));
    }
}

std::size_t File::readAt(std::uint64_t offset, std::span<std::byte> bytes) const {
    std::size_t done = 0;
    while (done < bytes.size()) {
        OVERLAPPED where = at(offset + done);
        DWORD got = 0;
        if (::ReadFile(handleOf(descriptor_), bytes.data() + done, asDword(bytes.size() - done), &got, &where) == 0 &&
            ::GetLastError() != ERROR_HANDLE_EOF) {
            throwLastError("ReadFile");
        }
        if (got == 0) {
            break;
        }
        done += got;
    }
    return done;
}

void File::writeAt(std::uint64_t offset, std::span<const std::byte> bytes) const {
    std::size_t done = 0;
    while (done < bytes.size()) {
        OVERLAPPED where = at(offset + done);
        DWORD put = 0;
        if (::WriteFile(handleOf(descriptor_), bytes.data() + done, asDword(bytes.size() - done), &put, &where) == 0) {
            throwLastError("WriteFile");
        }
        done += put;
    }
}

std::uint64_t File::sizeBytes() const {
    return sizeOf(handleOf(descriptor_));
}

void File::truncate(std::uint64_t sizeBytes) const {
    setSize(handleOf(descriptor_), sizeBytes);
}

void File::sync() const {
    if (::FlushFileBuffers(handleOf(descriptor_)) == 0) {
        throwLastError("FlushFileBuffers");
    }
}

FileIdentity File::identity() const {
    const auto identity = identityFrom(handleOf(descriptor_));
    if (!identity) {
        throwLastError("GetFileInformationByHandleEx");
    }
    return *identity;
}

std::optional<FileIdentity> identityOf(const std::string& path) {
    const UniqueHandle file = owned(
        ::CreateFileW(wideOf(path).c_str(), 0, kShareAll, nullptr, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, nullptr));
    return file == nullptr ? std::nullopt : identityFrom(file.get());
}

void RobustMutex::initialise() {
    static_assert(sizeof(LockWords) <= sizeof storage_ && std::atomic<OwnerWord>::is_always_lock_free);
    new (storage_) LockWords;
}

// Words in shared memory, not kernel objects: the system forgets an abandoned mutex when its last handle is closed, and
// two objects per database would be needed.
bool RobustMutex::lock() {
    constexpr std::int64_t kYieldingNs = 2'000'000;  // the shortest sleep takes up to 16 ms
    constexpr std::int64_t kLookNs = 20'000'000;
    static const OwnerWord self = ownerWordOf(currentProcess());
    LockWords& words = wordsIn(storage_);
    const std::int64_t begin = monotonicNs();
    // A thread that finds others waiting also waits; otherwise a busy writer would never let them in.
    const bool mustWait = begin - words.lastWaitNs < kLookNs;
    OwnerWord found = 0;
    if (!mustWait && words.owner.compare_exchange_strong(found, self)) {
        return false;
    }
    std::int64_t nextLook = begin + kLookNs;
    for (std::int64_t now = begin;; now = monotonicNs()) {
        words.lastWaitNs = now;  // if a waiter dies, this soon expires
        if (!mustWait && now - begin < kYieldingNs) {
            ::SwitchToThread();
        } else {
            ::Sleep(1);
        }
        found = 0;
        if (words.owner.compare_exchange_strong(found, self)) {
            words.lastWaitNs = 0;
            return false;
        }
        if (now < nextLook) {
            continue;
        }
        nextLook = now + kLookNs;
        if (found != self && !isOwnerAlive(found) && words.owner.compare_exchange_strong(found, self)) {
            return true;
        }
    }
}

void RobustMutex::unlock() {
    wordsIn(storage_).owner = 0;
}

SharedMemory SharedMemory::attach(const std::string& name, std::size_t sizeBytes, void (*initialise)(void*)) {
    // A file, not the page file: the memory must outlive the processes that use it, like a server's.
    const UniqueHandle file = owned(::CreateFileW(sharedMemoryPath(name).c_str(), GENERIC_READ | GENERIC_WRITE,
                                                  kShareAll, nullptr, OPEN_ALWAYS, FILE_ATTRIBUTE_TEMPORARY, nullptr));
    if (file == nullptr) {
        throwLastError("CreateFile of shared memory");
    }
    const FileLock lock(file.get());
    const std::uint64_t found = sizeOf(file.get());
    if (found != 0 && found != sizeBytes) {
        throw std::system_error(ERROR_REVISION_MISMATCH, std::system_category(), "shared memory of another version");
    }
    if (found == 0) {
        DWORD ignored = 0;
        ::DeviceIoControl(file.get(), FSCTL_SET_SPARSE, nullptr, 0, nullptr, 0, &ignored, nullptr);
        setSize(file.get(), sizeBytes);
    }
    const UniqueHandle mapping(::CreateFileMappingW(file.get(), nullptr, PAGE_READWRITE, 0, 0, nullptr));
    if (mapping == nullptr) {
        throwLastError("CreateFileMapping");
    }
    SharedMemory memory;
    memory.data_ = ::MapViewOfFile(mapping.get(), FILE_MAP_ALL_ACCESS, 0, 0, sizeBytes);
    memory.sizeBytes_ = sizeBytes;
    if (memory.data_ == nullptr) {
        throwLastError("MapViewOfFile");
    }
    if (found == 0) {
        initialise(memory.data_);
    }
    return memory;
}

std::optional<SharedMemory> SharedMemory::attachExisting(const std::string& name, std::size_t sizeBytes) {
    std::error_code error;
    if (std::filesystem::file_size(sharedMemoryDirectory() / name, error) != sizeBytes || error) {
        return std::nullopt;
    }
    return attach(name, sizeBytes, [](void*) {});
}

SharedMemory::~SharedMemory() {
    if (data_ != nullptr) {
        ::UnmapViewOfFile(data_);
    }
}

std::filesystem::path sharedMemoryDirectory() {
    // Not the temporary directory, which differs between users.
    static const std::filesystem::path directory = [] {
        const auto path = pathOf(environmentVariable("ProgramData").value_or("C:\\ProgramData")) / "domino-sim";
        std::filesystem::create_directories(path);
        return path;
    }();
    return directory;
}

ProcessIdentity currentProcess() {
    return {::GetCurrentProcessId(), creationTimeOf(::GetCurrentProcess())};
}

bool isAlive(const ProcessIdentity& process) {
    return livesAs(process.pid, [&](std::uint64_t created) { return created == process.startToken; });
}

bool isSuperuser() {
    return false;  // Windows has no user that is refused
}

void dieNow() {
    ::TerminateProcess(::GetCurrentProcess(), 137);
    std::abort();
}

std::int64_t monotonicNs() {
    static const std::int64_t frequency = [] {
        LARGE_INTEGER value{};
        ::QueryPerformanceFrequency(&value);
        return value.QuadPart;
    }();
    LARGE_INTEGER now{};
    ::QueryPerformanceCounter(&now);
    // In two steps, because the product would overflow after a quarter of an hour.
    return now.QuadPart / frequency * 1'000'000'000 + now.QuadPart % frequency * 1'000'000'000 / frequency;
}

void sleepExactlyNs(std::int64_t ns) {
    constexpr std::int64_t kTimerErrorNs = 1'000'000;
    const std::int64_t deadline = monotonicNs() + ns;
    if (ns > kTimerErrorNs) {
        UniqueHandle timer(
            ::CreateWaitableTimerExW(nullptr, nullptr, CREATE_WAITABLE_TIMER_HIGH_RESOLUTION, TIMER_ALL_ACCESS));
        if (timer == nullptr) {  // before Windows 10 1803
            timer.reset(::CreateWaitableTimerExW(nullptr, nullptr, 0, TIMER_ALL_ACCESS));
        }
        LARGE_INTEGER due{};
        due.QuadPart = -(ns - kTimerErrorNs) * kTicksPerSecond / 1'000'000'000;
        if (timer != nullptr && ::SetWaitableTimer(timer.get(), &due, 0, nullptr, nullptr, FALSE) != 0) {
            ::WaitForSingleObject(timer.get(), INFINITE);
        }
    }
    while (monotonicNs() < deadline) {
        ::SwitchToThread();
    }
}

std::string serverAddress(const std::filesystem::path& partitionDirectory) {
    return "\\\\.\\pipe\\" + partitionDirectory.stem().string();
}

std::optional<std::string> askServer(const std::string& address, const std::string& line) {
    constexpr DWORD kBusyMs = 5000;
    const std::wstring name = wideOf(address);
    UniqueHandle pipe;
    while (pipe == nullptr) {
        pipe = owned(::CreateFileW(name.c_str(), GENERIC_READ | GENERIC_WRITE, 0, nullptr, OPEN_EXISTING, 0, nullptr));
        const bool isBusy = pipe == nullptr && ::GetLastError() == ERROR_PIPE_BUSY;
        if (pipe == nullptr && !(isBusy && ::WaitNamedPipeW(name.c_str(), kBusyMs) != 0)) {
            return std::nullopt;
        }
    }
    const std::string request = line + "\n";
    DWORD moved = 0;
    if (::WriteFile(pipe.get(), request.data(), static_cast<DWORD>(request.size()), &moved, nullptr) == 0) {
        return std::nullopt;
    }
    std::string answer;
    char piece[4096];
    while (!answer.ends_with('\n') && ::ReadFile(pipe.get(), piece, sizeof piece, &moved, nullptr) != 0 && moved > 0) {
        answer.append(piece, moved);
    }
    if (!answer.ends_with('\n')) {
        return std::nullopt;
    }
    answer.pop_back();
    return answer;
}

}  // namespace domino_sim::platform
