#include <array>
#include <utility>

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

void makeInheritable(const unique_handle& end) {
    if (::SetHandleInformation(end.get(), HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT) == 0)
        fail("SetHandleInformation", {});
}

}  // namespace

ChildProcess::ChildProcess(const std::string& commandLine) {
    Pipe in = makePipe();
    Pipe out = makePipe();
    makeInheritable(in.read);
    makeInheritable(out.write);
    STARTUPINFOW startup{};
    startup.cb = sizeof startup;
    startup.dwFlags = STARTF_USESTDHANDLES;
    startup.hStdInput = in.read.get();
    startup.hStdOutput = out.write.get();
    startup.hStdError = ::GetStdHandle(STD_ERROR_HANDLE);
    PROCESS_INFORMATION started{};
    std::wstring line = toUtf16(commandLine);  // CreateProcessW may modify it
    if (::CreateProcessW(nullptr, line.data(), nullptr, nullptr, TRUE, CREATE_NO_WINDOW, nullptr, nullptr, &startup,
                         &started) == 0)
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
    return ::WaitForSingleObject(process_.get(), static_cast<DWORD>(patience.count())) == WAIT_OBJECT_0;
}

void ChildProcess::kill() noexcept {
    static_cast<void>(::TerminateProcess(process_.get(), 1));
}

}  // namespace domino_vss
