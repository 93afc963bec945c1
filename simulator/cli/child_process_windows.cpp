#include <array>
#include <cstddef>
#include <string_view>
#include <utility>

#include <fcntl.h>
#include <io.h>

#include "child_process.h"
#include "windows_handle.h"

namespace domino_sim::cli {

namespace {

using platform::UniqueHandle;

struct Pipe {
    UniqueHandle readEnd;
    UniqueHandle writeEnd;
};

Pipe makePipe() {
    HANDLE readEnd = nullptr;
    HANDLE writeEnd = nullptr;
    if (::CreatePipe(&readEnd, &writeEnd, nullptr, 0) == 0) {
        platform::throwLastError("CreatePipe");
    }
    return {UniqueHandle(readEnd), UniqueHandle(writeEnd)};
}

/** Quotes an argument for CommandLineToArgvW, where backslashes are special only before a quotation mark. */
std::wstring quoted(std::string_view word) {
    std::wstring result = L"\"";
    std::size_t backslashes = 0;
    for (const wchar_t c : platform::wideOf(word)) {
        if (c == L'"') {
            result.append(backslashes + 1, L'\\');
        }
        backslashes = c == L'\\' ? backslashes + 1 : 0;
        result += c;
    }
    return result.append(backslashes, L'\\') + L'"';
}

/**
 * The only handles that a child inherits. If it inherited the other end of its own input, that pipe would never close.
 */
class InheritedHandles {
public:
    explicit InheritedHandles(std::array<HANDLE, 3> handles) : handles_(handles) {
        SIZE_T sizeBytes = 0;
        ::InitializeProcThreadAttributeList(nullptr, 1, 0, &sizeBytes);
        memory_.resize(sizeBytes);
        for (const HANDLE handle : handles_) {
            ::SetHandleInformation(handle, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT);
        }
        if (::InitializeProcThreadAttributeList(list(), 1, 0, &sizeBytes) == 0 ||
            ::UpdateProcThreadAttribute(list(), 0, PROC_THREAD_ATTRIBUTE_HANDLE_LIST, handles_.data(), sizeof handles_,
                                        nullptr, nullptr) == 0) {
            platform::throwLastError("UpdateProcThreadAttribute");
        }
    }
    InheritedHandles(const InheritedHandles&) = delete;
    InheritedHandles& operator=(const InheritedHandles&) = delete;
    ~InheritedHandles() { ::DeleteProcThreadAttributeList(list()); }

    LPPROC_THREAD_ATTRIBUTE_LIST list() { return reinterpret_cast<LPPROC_THREAD_ATTRIBUTE_LIST>(memory_.data()); }

private:
    std::array<HANDLE, 3> handles_;
    std::vector<std::byte> memory_;
};

std::FILE* fileOf(UniqueHandle handle, const char* mode) {
    const int descriptor = ::_open_osfhandle(reinterpret_cast<std::intptr_t>(handle.release()), _O_BINARY);
    return ::_fdopen(descriptor, mode);
}

}  // namespace

std::string ownPath() {
    std::wstring path(32768, L'\0');
    path.resize(::GetModuleFileNameW(nullptr, path.data(), static_cast<DWORD>(path.size())));
    return platform::utf8Of(path);
}

ChildProcess::ChildProcess(const std::string& program, const std::vector<std::string>& words) {
    Pipe toChild = makePipe();
    Pipe fromChild = makePipe();
    std::wstring commandLine = quoted(program);
    for (const std::string& word : words) {
        commandLine += L' ' + quoted(word);
    }
    const HANDLE errors = ::GetStdHandle(STD_ERROR_HANDLE);
    InheritedHandles inherited({toChild.readEnd.get(), fromChild.writeEnd.get(), errors});
    STARTUPINFOEXW start{};
    start.StartupInfo.cb = sizeof start;
    start.StartupInfo.dwFlags = STARTF_USESTDHANDLES;
    start.StartupInfo.hStdInput = toChild.readEnd.get();
    start.StartupInfo.hStdOutput = fromChild.writeEnd.get();
    start.StartupInfo.hStdError = errors;
    start.lpAttributeList = inherited.list();
    PROCESS_INFORMATION process{};
    if (::CreateProcessW(platform::wideOf(program).c_str(), commandLine.data(), nullptr, nullptr, TRUE,
                         EXTENDED_STARTUPINFO_PRESENT, nullptr, nullptr, &start.StartupInfo, &process) == 0) {
        platform::throwLastError("CreateProcess");
    }
    ::CloseHandle(process.hThread);
    process_ = reinterpret_cast<std::intptr_t>(process.hProcess);
    in_.reset(fileOf(std::move(toChild.writeEnd), "wb"));
    out_.reset(fileOf(std::move(fromChild.readEnd), "rb"));
}

int ChildProcess::wait() {
    const UniqueHandle process(reinterpret_cast<HANDLE>(std::exchange(process_, 0)));
    DWORD exitCode = 0;
    ::WaitForSingleObject(process.get(), INFINITE);
    ::GetExitCodeProcess(process.get(), &exitCode);
    return static_cast<int>(exitCode);
}

void ChildProcess::kill() {
    constexpr UINT kKilled = 128 + 9;
    ::TerminateProcess(reinterpret_cast<HANDLE>(process_), kKilled);
}

}  // namespace domino_sim::cli
