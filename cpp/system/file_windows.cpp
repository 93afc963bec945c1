#include <windows.h>
#include <winioctl.h>

#include <algorithm>
#include <new>
#include <utility>

#include "system/file.h"
#include "system/path.h"

namespace domino_vss {

namespace {

/// Domino keeps its databases open and continues to write to them.
constexpr DWORD kShareEverything = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;
constexpr std::size_t kLargestPiece = std::size_t{1} << 30U;

HANDLE handleOf(std::intptr_t handle) noexcept {
    return reinterpret_cast<HANDLE>(handle);
}

int lastError() noexcept {
    return static_cast<int>(::GetLastError());
}

DWORD pieceOf(std::size_t bytes) noexcept {
    return static_cast<DWORD>(std::min(bytes, kLargestPiece));
}

int open(std::intptr_t& handle, const std::string& path, DWORD access, DWORD disposition, DWORD flags) noexcept {
    try {
        handle = reinterpret_cast<std::intptr_t>(
            ::CreateFileW(pathOf(path).c_str(), access, kShareEverything, nullptr, disposition, flags, nullptr));
    } catch (const std::bad_alloc&) {
        return ERROR_NOT_ENOUGH_MEMORY;
    }
    return handleOf(handle) == INVALID_HANDLE_VALUE ? lastError() : 0;
}

}  // namespace

int File::openForReading(const std::string& path) noexcept {
    close();
    const int error = open(handle_, path, GENERIC_READ, OPEN_EXISTING, FILE_FLAG_SEQUENTIAL_SCAN);
    if (error != 0 || ::GetFileType(handleOf(handle_)) == FILE_TYPE_DISK) return error;
    close();
    return ERROR_INVALID_PARAMETER;
}

int File::create(const std::string& path) noexcept {
    close();
    // The directory determines who can read it.
    return open(handle_, path, GENERIC_WRITE, CREATE_NEW, FILE_ATTRIBUTE_NORMAL);
}

void File::close() noexcept {
    if (isOpen()) ::CloseHandle(handleOf(std::exchange(handle_, kNone)));
}

ReadResult File::read(std::span<char> buffer) noexcept {
    DWORD got = 0;
    if (::ReadFile(handleOf(handle_), buffer.data(), pieceOf(buffer.size()), &got, nullptr) == 0)
        return {0, lastError()};
    return {got, 0};
}

int File::write(std::span<const char> bytes) noexcept {
    while (!bytes.empty()) {
        DWORD written = 0;
        if (::WriteFile(handleOf(handle_), bytes.data(), pieceOf(bytes.size()), &written, nullptr) == 0)
            return lastError();
        bytes = bytes.subspan(written);
    }
    return 0;
}

std::uint64_t File::number() noexcept {
    FILE_ID_INFO id{};
    if (::GetFileInformationByHandleEx(handleOf(handle_), FileIdInfo, &id, sizeof id) != 0) {
        // The low half of the number, as for the list of databases.
        std::uint64_t low = 0;
        for (int i = 7; i >= 0; --i) low = (low << 8U) | id.FileId.Identifier[i];
        return low;
    }
    BY_HANDLE_FILE_INFORMATION information{};
    if (::GetFileInformationByHandle(handleOf(handle_), &information) == 0) return 0;
    return (std::uint64_t{information.nFileIndexHigh} << 32U) | information.nFileIndexLow;
}

bool File::isSparse() noexcept {
    FILE_BASIC_INFO found{};
    return ::GetFileInformationByHandleEx(handleOf(handle_), FileBasicInfo, &found, sizeof found) != 0 &&
           (found.FileAttributes & FILE_ATTRIBUTE_SPARSE_FILE) != 0;
}

int File::allowHoles() noexcept {
    DWORD returned = 0;
    const bool done =
        ::DeviceIoControl(handleOf(handle_), FSCTL_SET_SPARSE, nullptr, 0, nullptr, 0, &returned, nullptr) != 0;
    return done ? 0 : lastError();
}

int File::skip(std::size_t bytes) noexcept {
    LARGE_INTEGER distance{};
    distance.QuadPart = static_cast<LONGLONG>(bytes);
    return ::SetFilePointerEx(handleOf(handle_), distance, nullptr, FILE_CURRENT) != 0 ? 0 : lastError();
}

int File::endHere() noexcept {
    return ::SetEndOfFile(handleOf(handle_)) != 0 ? 0 : lastError();
}

int File::sync() noexcept {
    return ::FlushFileBuffers(handleOf(handle_)) != 0 ? 0 : lastError();
}

void removeFile(const std::string& path) noexcept {
    try {
        ::DeleteFileW(pathOf(path).c_str());
    } catch (const std::bad_alloc&) {
        return;  // the file stays, as if it could not be deleted
    }
}

}  // namespace domino_vss
