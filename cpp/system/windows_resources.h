#pragma once

#include <windows.h>
// objbase.h is left out by WIN32_LEAN_AND_MEAN.
#include <objbase.h>

#include <memory>
#include <type_traits>

namespace domino_vss {

// Owners of what Windows hands out, one line each, with the names that Microsoft's library WIL has for them. Windows
// only.

/// Calls the function that gives a resource back.
template <auto Close>
struct WindowsCloser {
    template <typename Resource>
    void operator()(Resource* resource) const noexcept {
        Close(resource);
    }
};

template <typename Handle, auto Close>
using unique_resource = std::unique_ptr<std::remove_pointer_t<Handle>, WindowsCloser<Close>>;

using unique_handle = unique_resource<HANDLE, ::CloseHandle>;
using unique_hfind = unique_resource<HANDLE, ::FindClose>;
using unique_hkey = unique_resource<HKEY, ::RegCloseKey>;
using unique_hlocal = unique_resource<HLOCAL, ::LocalFree>;
using unique_schandle = unique_resource<SC_HANDLE, ::CloseServiceHandle>;
using unique_cotaskmem_string = unique_resource<wchar_t*, ::CoTaskMemFree>;

/// For functions that answer INVALID_HANDLE_VALUE instead of nullptr when there is none.
[[nodiscard]] inline HANDLE validOrNull(HANDLE handle) noexcept {
    return handle == INVALID_HANDLE_VALUE ? nullptr : handle;
}

}  // namespace domino_vss
