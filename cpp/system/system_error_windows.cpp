#include <windows.h>

#include <algorithm>
#include <array>
#include <utility>

#include "system/path.h"
#include "system/system_error.h"

namespace domino_vss {

namespace {

constexpr std::array kNames{
    std::pair{ERROR_INVALID_FUNCTION, "ERROR_INVALID_FUNCTION"},
    std::pair{ERROR_FILE_NOT_FOUND, "ERROR_FILE_NOT_FOUND"},
    std::pair{ERROR_PATH_NOT_FOUND, "ERROR_PATH_NOT_FOUND"},
    std::pair{ERROR_TOO_MANY_OPEN_FILES, "ERROR_TOO_MANY_OPEN_FILES"},
    std::pair{ERROR_ACCESS_DENIED, "ERROR_ACCESS_DENIED"},
    std::pair{ERROR_INVALID_HANDLE, "ERROR_INVALID_HANDLE"},
    std::pair{ERROR_NOT_ENOUGH_MEMORY, "ERROR_NOT_ENOUGH_MEMORY"},
    std::pair{ERROR_OUTOFMEMORY, "ERROR_OUTOFMEMORY"},
    std::pair{ERROR_NOT_SAME_DEVICE, "ERROR_NOT_SAME_DEVICE"},
    std::pair{ERROR_WRITE_PROTECT, "ERROR_WRITE_PROTECT"},
    std::pair{ERROR_NOT_READY, "ERROR_NOT_READY"},
    std::pair{ERROR_CRC, "ERROR_CRC"},
    std::pair{ERROR_WRITE_FAULT, "ERROR_WRITE_FAULT"},
    std::pair{ERROR_READ_FAULT, "ERROR_READ_FAULT"},
    std::pair{ERROR_GEN_FAILURE, "ERROR_GEN_FAILURE"},
    std::pair{ERROR_SHARING_VIOLATION, "ERROR_SHARING_VIOLATION"},
    std::pair{ERROR_LOCK_VIOLATION, "ERROR_LOCK_VIOLATION"},
    std::pair{ERROR_HANDLE_EOF, "ERROR_HANDLE_EOF"},
    std::pair{ERROR_HANDLE_DISK_FULL, "ERROR_HANDLE_DISK_FULL"},
    std::pair{ERROR_NOT_SUPPORTED, "ERROR_NOT_SUPPORTED"},
    std::pair{ERROR_BAD_NETPATH, "ERROR_BAD_NETPATH"},
    std::pair{ERROR_FILE_EXISTS, "ERROR_FILE_EXISTS"},
    std::pair{ERROR_CANNOT_MAKE, "ERROR_CANNOT_MAKE"},
    std::pair{ERROR_INVALID_PARAMETER, "ERROR_INVALID_PARAMETER"},
    std::pair{ERROR_DISK_FULL, "ERROR_DISK_FULL"},
    std::pair{ERROR_INVALID_NAME, "ERROR_INVALID_NAME"},
    std::pair{ERROR_MOD_NOT_FOUND, "ERROR_MOD_NOT_FOUND"},
    std::pair{ERROR_PROC_NOT_FOUND, "ERROR_PROC_NOT_FOUND"},
    std::pair{ERROR_DIR_NOT_EMPTY, "ERROR_DIR_NOT_EMPTY"},
    std::pair{ERROR_BUSY, "ERROR_BUSY"},
    std::pair{ERROR_ALREADY_EXISTS, "ERROR_ALREADY_EXISTS"},
    std::pair{ERROR_BAD_EXE_FORMAT, "ERROR_BAD_EXE_FORMAT"},
    std::pair{ERROR_FILENAME_EXCED_RANGE, "ERROR_FILENAME_EXCED_RANGE"},
    std::pair{ERROR_FILE_TOO_LARGE, "ERROR_FILE_TOO_LARGE"},
    std::pair{ERROR_DIRECTORY, "ERROR_DIRECTORY"},
    std::pair{ERROR_DELETE_PENDING, "ERROR_DELETE_PENDING"},
    std::pair{ERROR_PRIVILEGE_NOT_HELD, "ERROR_PRIVILEGE_NOT_HELD"},
    std::pair{ERROR_DEPENDENT_SERVICES_RUNNING, "ERROR_DEPENDENT_SERVICES_RUNNING"},
    std::pair{ERROR_INVALID_SERVICE_CONTROL, "ERROR_INVALID_SERVICE_CONTROL"},
    std::pair{ERROR_SERVICE_REQUEST_TIMEOUT, "ERROR_SERVICE_REQUEST_TIMEOUT"},
    std::pair{ERROR_SERVICE_ALREADY_RUNNING, "ERROR_SERVICE_ALREADY_RUNNING"},
    std::pair{ERROR_SERVICE_DISABLED, "ERROR_SERVICE_DISABLED"},
    std::pair{ERROR_SERVICE_DOES_NOT_EXIST, "ERROR_SERVICE_DOES_NOT_EXIST"},
    std::pair{ERROR_SERVICE_CANNOT_ACCEPT_CTRL, "ERROR_SERVICE_CANNOT_ACCEPT_CTRL"},
    std::pair{ERROR_SERVICE_NOT_ACTIVE, "ERROR_SERVICE_NOT_ACTIVE"},
    std::pair{ERROR_SERVICE_SPECIFIC_ERROR, "ERROR_SERVICE_SPECIFIC_ERROR"},
    std::pair{ERROR_SERVICE_DEPENDENCY_FAIL, "ERROR_SERVICE_DEPENDENCY_FAIL"},
    std::pair{ERROR_SERVICE_LOGON_FAILED, "ERROR_SERVICE_LOGON_FAILED"},
    std::pair{ERROR_DLL_INIT_FAILED, "ERROR_DLL_INIT_FAILED"},
    std::pair{ERROR_IO_DEVICE, "ERROR_IO_DEVICE"},
    std::pair{ERROR_NOT_FOUND, "ERROR_NOT_FOUND"},
    std::pair{ERROR_NO_SYSTEM_RESOURCES, "ERROR_NO_SYSTEM_RESOURCES"},
    std::pair{ERROR_CANT_RESOLVE_FILENAME, "ERROR_CANT_RESOLVE_FILENAME"},
};

}  // namespace

int systemErrorOf(const std::error_code& error) noexcept {
    // Microsoft's library uses system error numbers throughout; GCC's sometimes uses those of errno.
    if (error.category() == std::system_category()) return error.value();
    return systemErrorOf(static_cast<std::errc>(error.value()));
}

int systemErrorOf(std::errc error) noexcept {
    if (error == std::errc{}) return ERROR_SUCCESS;
    switch (error) {
        case std::errc::no_such_file_or_directory: return ERROR_FILE_NOT_FOUND;
        case std::errc::permission_denied:
        case std::errc::operation_not_permitted: return ERROR_ACCESS_DENIED;
        case std::errc::not_enough_memory: return ERROR_NOT_ENOUGH_MEMORY;
        case std::errc::file_exists: return ERROR_ALREADY_EXISTS;
        case std::errc::not_a_directory: return ERROR_DIRECTORY;
        case std::errc::directory_not_empty: return ERROR_DIR_NOT_EMPTY;
        case std::errc::no_space_on_device: return ERROR_DISK_FULL;
        case std::errc::device_or_resource_busy: return ERROR_SHARING_VIOLATION;
        case std::errc::invalid_argument: return ERROR_INVALID_PARAMETER;
        case std::errc::filename_too_long: return ERROR_FILENAME_EXCED_RANGE;
        case std::errc::io_error: return ERROR_IO_DEVICE;
        case std::errc::illegal_byte_sequence: return ERROR_NO_UNICODE_TRANSLATION;
        default: return ERROR_GEN_FAILURE;
    }
}

std::string_view systemErrorName(int error) noexcept {
    const auto* const found =
        std::ranges::find(kNames, error, [](const auto& entry) { return static_cast<int>(entry.first); });
    return found == kNames.data() + kNames.size() ? std::string_view{} : found->second;
}

std::string systemErrorText(int error) {
    std::array<wchar_t, 512> buffer{};
    const auto textIn = [&](DWORD language) {
        return ::FormatMessageW(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS, nullptr,
                                static_cast<DWORD>(error), language, buffer.data(), static_cast<DWORD>(buffer.size()),
                                nullptr);
    };
    // In English, like all other texts; if English is not installed, in the system's language.
    DWORD length = textIn(MAKELANGID(LANG_ENGLISH, SUBLANG_ENGLISH_US));
    if (length == 0) length = textIn(0);
    std::wstring_view text(buffer.data(), length);
    while (!text.empty() && (text.back() <= L' ' || text.back() == L'.')) text.remove_suffix(1);
    return text.empty() ? "error " + std::to_string(error) : toUtf8(text);
}

}  // namespace domino_vss
