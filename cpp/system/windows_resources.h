#pragma once

#include <windows.h>
// objbase.h is left out by WIN32_LEAN_AND_MEAN.
#include <objbase.h>

#include <memory>
#include <type_traits>

namespace domino_vss {

// Owners of Windows resources, with the names used by Microsoft's WIL. Windows only.

/// Calls the function that releases a resource.
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

/// For functions that return INVALID_HANDLE_VALUE on failure instead of nullptr.
[[nodiscard]] inline HANDLE validOrNull(HANDLE handle) noexcept {
    return handle == INVALID_HANDLE_VALUE ? nullptr : handle;
}

}  // namespace domino_vss
