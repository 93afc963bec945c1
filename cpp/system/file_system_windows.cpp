#include <windows.h>

#include <algorithm>
#include <string_view>

#include "system/file_system.h"
#include "system/path.h"
#include "system/volume_name.h"
#include "system/windows_resources.h"

namespace domino_vss {

namespace {

int lastError() noexcept {
    return static_cast<int>(::GetLastError());
}

/// Requests only the right to read attributes, which no other program's sharing mode can block.
unique_handle openForAttributes(const std::string& path) {
    return unique_handle(validOrNull(::CreateFileW(pathOf(path).c_str(), FILE_READ_ATTRIBUTES,
                                                   FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, nullptr,
                                                   OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, nullptr)));
}

constexpr std::uint64_t join(DWORD high, DWORD low) noexcept {
    return (std::uint64_t{high} << 32U) | low;
}

/// FILETIME counts 100 ns units since 1601.
double unixMilliseconds(const FILETIME& time) noexcept {
    constexpr double kEpochDifferenceMs = 11'644'473'600'000.0;
    return static_cast<double>(join(time.dwHighDateTime, time.dwLowDateTime)) / 1e4 - kEpochDifferenceMs;
}

int identityOf(HANDLE handle, const BY_HANDLE_FILE_INFORMATION& information, FileIdentity& identity) {
    identity.high = 0;
    identity.low = join(information.nFileIndexHigh, information.nFileIndexLow);
    FILE_ID_INFO id{};
    if (::GetFileInformationByHandleEx(handle, FileIdInfo, &id, sizeof id) != 0) {
        identity.low = 0;
        for (int i = 15; i >= 8; --i) identity.high = (identity.high << 8U) | id.FileId.Identifier[i];
        for (int i = 7; i >= 0; --i) identity.low = (identity.low << 8U) | id.FileId.Identifier[i];
    }
    return volumeNameOf(handle, identity.volume);
}

/// Other reparse points represent the file itself: deduplicated, compressed, or stored in a cloud.
bool isLink(const WIN32_FIND_DATAW& found) noexcept {
    return (found.dwFileAttributes & FILE_ATTRIBUTE_REPARSE_POINT) != 0 &&
           (found.dwReserved0 == IO_REPARSE_TAG_SYMLINK || found.dwReserved0 == IO_REPARSE_TAG_MOUNT_POINT);
}

/// NTFS allows unpaired surrogates, which UTF-8 cannot represent. Such a name gets a byte that is never valid in UTF-8.
std::string nameOf(std::wstring_view name) {
    std::string utf8 = toUtf8(name);
    if (toUtf16(utf8) != name) utf8.insert(utf8.begin(), '\xFF');
    return utf8;
}

}  // namespace

int readStatus(const std::string& path, FileStatus& status) {
    const unique_handle handle = openForAttributes(path);
    if (!handle) return lastError();
    if (const DWORD type = ::GetFileType(handle.get()); type != FILE_TYPE_DISK) {
        status = {};
        status.kind = type == FILE_TYPE_PIPE ? FileStatus::Kind::pipe : FileStatus::Kind::device;
        return 0;
    }
    BY_HANDLE_FILE_INFORMATION information{};
    if (::GetFileInformationByHandle(handle.get(), &information) == 0) return lastError();
    const bool isDirectory = (information.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) != 0;
    status.kind = isDirectory ? FileStatus::Kind::directory : FileStatus::Kind::regular;
    FILE_STANDARD_INFO standard{};
    status.sizeBytes = join(information.nFileSizeHigh, information.nFileSizeLow);
    // A file system that does not tell has no sparse files.
    status.allocatedBytes = status.sizeBytes;
    if (::GetFileInformationByHandleEx(handle.get(), FileStandardInfo, &standard, sizeof standard) != 0)
        status.allocatedBytes = static_cast<std::uint64_t>(standard.AllocationSize.QuadPart);
    status.modifiedMs = unixMilliseconds(information.ftLastWriteTime);
    return identityOf(handle.get(), information, status.identity);
}

bool nameExists(const std::string& path) {
    return ::GetFileAttributesW(pathOf(path).c_str()) != INVALID_FILE_ATTRIBUTES;
}

int listDirectory(const std::string& path, std::vector<DirectoryItem>& items) {
    items.clear();
    WIN32_FIND_DATAW found{};
    const HANDLE first = ::FindFirstFileExW((pathOf(path) / L"*").c_str(), FindExInfoBasic, &found,
                                            FindExSearchNameMatch, nullptr, FIND_FIRST_EX_LARGE_FETCH);
    // The root of a volume has no entry "." and may be empty.
    if (first == INVALID_HANDLE_VALUE) return ::GetLastError() == ERROR_FILE_NOT_FOUND ? 0 : lastError();
    const unique_hfind handle(first);
    do {
        const std::wstring_view name = found.cFileName;
        if (name != L"." && name != L"..") items.push_back({nameOf(name), isLink(found)});
    } while (::FindNextFileW(handle.get(), &found) != 0);
    const DWORD ended = ::GetLastError();
    std::ranges::sort(items, {}, &DirectoryItem::name);
    return ended == ERROR_NO_MORE_FILES ? 0 : static_cast<int>(ended);
}

bool isMadeUp(const std::string& /*directory*/) {
    return false;
}

int resolvePath(const std::string& path, std::string& resolved) {
    const unique_handle handle = openForAttributes(path);
    if (!handle) return lastError();
    int error = 0;
    // A volume without a drive letter is named by its GUID.
    for (const DWORD form : {DWORD{VOLUME_NAME_DOS}, DWORD{VOLUME_NAME_GUID}}) {
        std::wstring final;
        error = finalPathOf(handle.get(), form, final);
        if (error != 0) continue;
        resolved = utf8Of(final);
        return 0;
    }
    return error;
}

}  // namespace domino_vss
