#include <windows.h>

#include "shadow/vss/writer/shadow_files.h"
#include "system/failure.h"
#include "system/path.h"
#include "system/windows_resources.h"

namespace domino_vss::vss {

namespace {

[[noreturn]] void fail(const char* operation, const std::string& file) {
    throw systemFailure(code::kShadow, Phase::end, operation, file, static_cast<int>(::GetLastError()));
}

unique_handle openToWrite(const std::string& file) {
    unique_handle handle(validOrNull(::CreateFileW(pathOf(file).c_str(), GENERIC_WRITE | FILE_READ_ATTRIBUTES,
                                                   FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, nullptr,
                                                   OPEN_EXISTING, 0, nullptr)));
    if (!handle) fail("CreateFileW", file);
    return handle;
}

/// Other reparse points represent the file itself, such as a deduplicated one.
bool isLink(const std::string& path) {
    WIN32_FIND_DATAW found{};
    const unique_hfind search(validOrNull(::FindFirstFileW(pathOf(path).c_str(), &found)));
    if (!search) fail("FindFirstFileW", path);
    return (found.dwFileAttributes & FILE_ATTRIBUTE_REPARSE_POINT) != 0 &&
           (found.dwReserved0 == IO_REPARSE_TAG_SYMLINK || found.dwReserved0 == IO_REPARSE_TAG_MOUNT_POINT);
}

}  // namespace

void cutInShadow(const std::string& root, const std::string& path, std::uint64_t sizeBytes) {
    const std::string file = root + kSeparator + path;
    for (std::size_t end = root.size(); end != std::string::npos;) {
        end = file.find_first_of("\\/", end + 1);
        if (const std::string part = file.substr(0, end); isLink(part))
            throw Failure(code::kShadow, Phase::end, "a link leads out of the shadow", part);
    }
    const unique_handle handle = openToWrite(file);
    LARGE_INTEGER size{};
    if (::GetFileSizeEx(handle.get(), &size) == 0) fail("GetFileSizeEx", file);
    LARGE_INTEGER wanted{};
    wanted.QuadPart = static_cast<LONGLONG>(sizeBytes);
    if (size.QuadPart < wanted.QuadPart)
        throw Failure(code::kShadow, Phase::end, "it is shorter there than at NSFBackupStart", file);
    if (size.QuadPart == wanted.QuadPart) return;
    if (::SetFilePointerEx(handle.get(), wanted, nullptr, FILE_BEGIN) == 0 || ::SetEndOfFile(handle.get()) == 0)
        fail("SetEndOfFile", file);
}

void flushInShadow(const std::string& file) {
    const unique_handle handle = openToWrite(file);
    if (::FlushFileBuffers(handle.get()) == 0) fail("FlushFileBuffers", file);
}

bool linkDirectory(const std::string& link, const std::string& target) noexcept {
    try {
        // Without the backslash, the name of a shadow's device is the device and not its root.
        return ::CreateSymbolicLinkW(pathOf(link).c_str(), (toUtf16(target) + L'\\').c_str(),
                                     SYMBOLIC_LINK_FLAG_DIRECTORY) != 0;
    } catch (...) {
        return false;
    }
}

void removeDirectoryLink(const std::string& link) noexcept {
    try {
        static_cast<void>(::RemoveDirectoryW(pathOf(link).c_str()));
    } catch (...) {
        // It is removed with the directory of the backup.
    }
}

}  // namespace domino_vss::vss
