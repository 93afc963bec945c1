#pragma once
// What every file that calls Windows needs: an owner for handles, errors as exceptions, texts in both widths.

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

/** Null when there is none; INVALID_HANDLE_VALUE never gets in. */
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
