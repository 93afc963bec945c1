#include <windows.h>

#include <array>
#include <cstddef>
#include <string_view>
#include <vector>

#include "system/current_call.h"
#include "system/failure.h"
#include "system/path.h"
#include "system/remove_tree.h"
#include "system/windows_resources.h"

namespace domino_vss {

namespace {

class Removal {
public:
    Removal(const char* failureCode, BeforeEntering beforeEntering)
        : failureCode_(failureCode), beforeEntering_(beforeEntering) {}

    void remove(const std::wstring& path) const {
        // Opens a link itself, not its target. While a directory is open without FILE_SHARE_DELETE, neither it nor a
        // directory above it can be renamed, so paths below it stay valid.
        CurrentCall::note("CreateFileW");
        const unique_handle handle(validOrNull(::CreateFileW(
            path.c_str(), DELETE | FILE_LIST_DIRECTORY | FILE_READ_ATTRIBUTES | FILE_WRITE_ATTRIBUTES | SYNCHRONIZE,
            FILE_SHARE_READ | FILE_SHARE_WRITE, nullptr, OPEN_EXISTING,
            FILE_FLAG_BACKUP_SEMANTICS | FILE_FLAG_OPEN_REPARSE_POINT, nullptr)));
        if (!handle) {
            const DWORD error = ::GetLastError();
            if (error == ERROR_FILE_NOT_FOUND || error == ERROR_PATH_NOT_FOUND) return;
            fail("CreateFileW", path, error);
        }
        FILE_BASIC_INFO basic{};
        if (::GetFileInformationByHandleEx(handle.get(), FileBasicInfo, &basic, sizeof basic) == 0)
            fail("GetFileInformationByHandleEx", path, ::GetLastError());
        const bool isDirectory = (basic.FileAttributes & FILE_ATTRIBUTE_DIRECTORY) != 0;
        if (isDirectory && (basic.FileAttributes & FILE_ATTRIBUTE_REPARSE_POINT) == 0) {
            if (beforeEntering_ != nullptr) beforeEntering_(utf8Of(path));
            for (const std::wstring& name : list(handle.get(), path)) remove(path + L'\\' + name);
        }
        if ((basic.FileAttributes & FILE_ATTRIBUTE_READONLY) != 0) {
            basic.FileAttributes = isDirectory ? FILE_ATTRIBUTE_DIRECTORY : FILE_ATTRIBUTE_NORMAL;
            ::SetFileInformationByHandle(handle.get(), FileBasicInfo, &basic, sizeof basic);
        }
        FILE_DISPOSITION_INFO disposition{TRUE};
        if (::SetFileInformationByHandle(handle.get(), FileDispositionInfo, &disposition, sizeof disposition) == 0)
            fail("SetFileInformationByHandle", path, ::GetLastError());
    }

private:
    [[noreturn]] void fail(const char* operation, const std::wstring& path, DWORD error) const {
        throw systemFailure(failureCode_, Phase::end, operation, utf8Of(path), static_cast<int>(error));
    }

    [[nodiscard]] std::vector<std::wstring> list(HANDLE directory, const std::wstring& path) const {
        std::vector<std::wstring> names;
        alignas(FILE_ID_BOTH_DIR_INFO) std::array<std::byte, 16 * 1024> buffer;
        while (::GetFileInformationByHandleEx(directory, FileIdBothDirectoryInfo, buffer.data(),
                                              static_cast<DWORD>(buffer.size())) != 0) {
            const std::byte* at = buffer.data();
            for (;;) {
                const auto* const entry = reinterpret_cast<const FILE_ID_BOTH_DIR_INFO*>(at);
                const std::wstring_view name(entry->FileName, entry->FileNameLength / sizeof(wchar_t));
                if (name != L"." && name != L"..") names.emplace_back(name);
                if (entry->NextEntryOffset == 0) break;
                at += entry->NextEntryOffset;
            }
        }
        if (const DWORD error = ::GetLastError(); error != ERROR_NO_MORE_FILES)
            fail("GetFileInformationByHandleEx", path, error);
        return names;
    }

    const char* failureCode_;
    BeforeEntering beforeEntering_;
};

}  // namespace

void removeTree(const std::string& path, const char* failureCode, BeforeEntering beforeEntering) {
    std::wstring whole = pathOf(path).native();
    while (whole.size() > 1 && (whole.back() == L'\\' || whole.back() == L'/')) whole.pop_back();
    Removal(failureCode, beforeEntering).remove(whole);
}

}  // namespace domino_vss
