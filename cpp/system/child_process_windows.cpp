#include <algorithm>
#include <array>
#include <span>
#include <utility>
#include <vector>

#include "system/child_process.h"
#include "system/failure.h"
#include "system/path.h"
#include "system/system_error.h"

namespace domino_vss {

namespace {

/// Polling interval: an anonymous pipe cannot be waited for with a timeout.
constexpr DWORD kLookAgainMs = 20;

struct Pipe {
    unique_handle read;
    unique_handle write;
};

[[noreturn]] void fail(const char* operation, const std::string& subject) {
    throw systemFailure(code::kFileSystem, Phase::restore, operation, subject, static_cast<int>(::GetLastError()));
}

/// Not inheritable: another process started at the same time would inherit our end and keep the pipe open forever.
Pipe makePipe() {
    HANDLE read = nullptr;
    HANDLE write = nullptr;
    if (::CreatePipe(&read, &write, nullptr, static_cast<DWORD>(ChildProcess::kPipeBytes)) == 0) fail("CreatePipe", {});
    return {unique_handle(read), unique_handle(write)};
}

/// A handle of our own for it; empty if there is none, as in a service.
unique_handle standardError() {
    const HANDLE self = ::GetCurrentProcess();
    HANDLE copy = nullptr;
    if (::DuplicateHandle(self, validOrNull(::GetStdHandle(STD_ERROR_HANDLE)), self, &copy, 0, FALSE,
                          DUPLICATE_SAME_ACCESS) == 0)
        return {};
    return unique_handle(copy);
}

void makeInheritable(HANDLE handle) {
    if (::SetHandleInformation(handle, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT) == 0) fail("SetHandleInformation", {});
}

/// The handles that a process inherits. Without this list it would inherit all inheritable handles of this process,
/// among them those for a process that another thread is starting.
class InheritedHandles {
public:
    /// `handles` are used until the process is started.
    explicit InheritedHandles(std::span<HANDLE> handles) {
        SIZE_T bytes = 0;
        ::InitializeProcThreadAttributeList(nullptr, 1, 0, &bytes);  // fails, and says how long the list is
        memory_.resize(bytes);
        if (::InitializeProcThreadAttributeList(list(), 1, 0, &bytes) == 0)
            fail("InitializeProcThreadAttributeList", {});
        initialized_.reset(list());
        if (::UpdateProcThreadAttribute(list(), 0, PROC_THREAD_ATTRIBUTE_HANDLE_LIST, handles.data(),
                                        handles.size_bytes(), nullptr, nullptr) == 0)
            fail("UpdateProcThreadAttribute", {});
    }
    [[nodiscard]] LPPROC_THREAD_ATTRIBUTE_LIST list() noexcept {
        return reinterpret_cast<LPPROC_THREAD_ATTRIBUTE_LIST>(memory_.data());
    }

private:
    std::vector<std::byte> memory_;
    unique_resource<LPPROC_THREAD_ATTRIBUTE_LIST, ::DeleteProcThreadAttributeList> initialized_;
};

}  // namespace

ChildProcess::ChildProcess(const std::string& commandLine) {
    Pipe in = makePipe();
    Pipe out = makePipe();
    const unique_handle errors = standardError();
    std::vector<HANDLE> inherited{in.read.get(), out.write.get()};
    if (errors) inherited.push_back(errors.get());
    for (HANDLE const handle : inherited) makeInheritable(handle);
    InheritedHandles handles(inherited);
    STARTUPINFOEXW startup{};
    startup.StartupInfo.cb = sizeof startup;
    startup.StartupInfo.dwFlags = STARTF_USESTDHANDLES;
    startup.StartupInfo.hStdInput = in.read.get();
    startup.StartupInfo.hStdOutput = out.write.get();
    startup.StartupInfo.hStdError = errors.get();
    startup.lpAttributeList = handles.list();
    PROCESS_INFORMATION started{};
    std::wstring line = toUtf16(commandLine);  // CreateProcessW may modify it
    if (::CreateProcessW(nullptr, line.data(), nullptr, nullptr, TRUE, CREATE_NO_WINDOW | EXTENDED_STARTUPINFO_PRESENT,
                         nullptr, nullptr, &startup.StartupInfo, &started) == 0)
        fail("CreateProcess", commandLine);
    const unique_handle thread(started.hThread);
    process_.reset(started.hProcess);
    input_ = std::move(in.write);
    output_ = std::move(out.read);
}

bool ChildProcess::say(const std::string& line) noexcept {
    std::size_t said = 0;
    for (DWORD written = 0; said < line.size(); said += written)
        if (!input_ || ::WriteFile(input_.get(), line.data() + said, static_cast<DWORD>(line.size() - said), &written,
                                   nullptr) == 0)
            return false;
    DWORD written = 0;
    return input_ && ::WriteFile(input_.get(), "\n", 1, &written, nullptr) != 0;
}

std::optional<std::string> ChildProcess::nextLine(std::chrono::steady_clock::time_point deadline) {
    for (;;) {
        if (const std::size_t end = unfinished_.find('\n'); end != std::string::npos) {
            std::string line = unfinished_.substr(0, end);
            unfinished_.erase(0, end + 1);
            if (line.ends_with('\r')) line.pop_back();
            return line;
        }
        // In this order: once it has ended, its last output is in the pipe.
        const bool ended = hasEnded();
        DWORD available = 0;
        if (::PeekNamedPipe(output_.get(), nullptr, 0, nullptr, &available, nullptr) != 0 && available > 0) {
            std::array<char, 4096> buffer{};
            DWORD read = 0;
            if (::ReadFile(output_.get(), buffer.data(), buffer.size(), &read, nullptr) != 0)
                unfinished_.append(buffer.data(), read);
            continue;
        }
        if (ended || std::chrono::steady_clock::now() >= deadline) return std::nullopt;
        ::WaitForSingleObject(process_.get(), kLookAgainMs);
    }
}

bool ChildProcess::hasEnded() const noexcept {
    return ::WaitForSingleObject(process_.get(), 0) == WAIT_OBJECT_0;
}

bool ChildProcess::awaitEnd(std::chrono::milliseconds patience) const noexcept {
    constexpr auto kLongest = std::chrono::milliseconds::rep{INFINITE} - 1;
    const auto limit = std::clamp(patience.count(), std::chrono::milliseconds::rep{0}, kLongest);
    return ::WaitForSingleObject(process_.get(), static_cast<DWORD>(limit)) == WAIT_OBJECT_0;
}

void ChildProcess::kill() noexcept {
    static_cast<void>(::TerminateProcess(process_.get(), 1));
}

}  // namespace domino_vss
