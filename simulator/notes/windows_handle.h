#pragma once
// Shared by all files that call Windows: an owner for handles, errors as exceptions, UTF-8/UTF-16 conversion.

#include <memory>
#include <string>
#include <string_view>
#include <system_error>

#include <windows.h>

namespace domino_sim::platform {

struct HandleCloser {
    using pointer = HANDLE;
    void operator()(HANDLE handle) const { ::CloseHandle(handle); }
};

/** Null if there is no handle; never holds INVALID_HANDLE_VALUE. */
using UniqueHandle = std::unique_ptr<void, HandleCloser>;

inline UniqueHandle owned(HANDLE handle) {
    return UniqueHandle(handle == INVALID_HANDLE_VALUE ? nullptr : handle);
}

[[noreturn]] inline void throwLastError(const char* what) {
    throw std::system_error(static_cast<int>(::GetLastError()), std::system_category(), what);
}

std::wstring wideFrom(UINT codePage, std::string_view text);
std::string narrowIn(UINT codePage, std::wstring_view wide);
std::wstring wideOf(std::string_view utf8);
std::string utf8Of(std::wstring_view wide);

}  // namespace domino_sim::platform
