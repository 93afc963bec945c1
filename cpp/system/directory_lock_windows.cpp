#include <windows.h>

#include <array>
#include <cstdint>
#include <cwchar>

#include "system/directory_lock.h"
#include "system/failure.h"
#include "system/path.h"

namespace domino_vss {

namespace {

Failure systemError(const char* operation, const std::string& directory) {
    return systemFailure(code::kFind, Phase::prepare, operation, directory, static_cast<int>(::GetLastError()));
}

/// The unique name of a directory, whichever drive, mount point or junction it is reached by, in lower case.
std::wstring trueName(const std::string& directory) {
    constexpr DWORD kShareAll = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;
    // Opening a directory requires FILE_FLAG_BACKUP_SEMANTICS.
    const unique_handle handle(validOrNull(::CreateFileW(pathOf(directory).c_str(), FILE_READ_ATTRIBUTES, kShareAll,
                                                         nullptr, OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, nullptr)));
    if (!handle) throw systemError("CreateFileW", directory);
    std::wstring name(32768, L'\0');  // the longest possible path
    DWORD length = ::GetFinalPathNameByHandleW(handle.get(), name.data(), static_cast<DWORD>(name.size()),
                                               FILE_NAME_NORMALIZED | VOLUME_NAME_GUID);
    // A directory on a share has no volume name.
    if (length == 0)
        length = ::GetFinalPathNameByHandleW(handle.get(), name.data(), static_cast<DWORD>(name.size()),
                                             FILE_NAME_NORMALIZED | VOLUME_NAME_DOS);
    if (length == 0 || length >= name.size()) throw systemError("GetFinalPathNameByHandleW", directory);
    name.resize(length);
    // Not CharLowerBuffW: user32.dll is not available to every service.
    const int units = static_cast<int>(length);
    if (::LCMapStringEx(LOCALE_NAME_INVARIANT, LCMAP_LOWERCASE, name.data(), units, name.data(), units, nullptr,
                        nullptr, 0) == 0)
        throw systemError("LCMapStringEx", directory);
    return name;
}

/// FNV-1a. The name of a mutex is limited to 260 characters and must not contain a backslash.
std::uint64_t hashOf(const std::wstring& text) noexcept {
    std::uint64_t hash = 0xcbf29ce484222325;
    for (const wchar_t unit : text) hash = (hash ^ static_cast<std::uint16_t>(unit)) * 0x100000001b3;
    return hash;
}

}  // namespace

std::optional<DirectoryLock> DirectoryLock::tryTake(const std::string& directory) {
    // Global, because a service and a console in different sessions work on the same server.
    std::array<wchar_t, 64> name{};
    const auto hash = static_cast<unsigned long long>(hashOf(trueName(directory)));
    static_cast<void>(std::swprintf(name.data(), name.size(), LR"(Global\domino-vss-%016llx)", hash));
    unique_handle mutex(::CreateMutexW(nullptr, FALSE, name.data()));
    const DWORD error = ::GetLastError();
    // Access denied: it exists and belongs to another account.
    if (!mutex && error == ERROR_ACCESS_DENIED) return std::nullopt;
    if (!mutex) throw systemError("CreateMutexW", directory);
    if (error == ERROR_ALREADY_EXISTS) return std::nullopt;
    return DirectoryLock(std::move(mutex));
}

}  // namespace domino_vss
