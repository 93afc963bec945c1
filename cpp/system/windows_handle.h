#pragma once

#include <windows.h>

#include <utility>

namespace domino_vss {

/// Owns a kernel handle. Windows only.
class WindowsHandle {
public:
    explicit WindowsHandle(HANDLE handle) noexcept : handle_(handle) {}
    WindowsHandle(WindowsHandle&& other) noexcept : handle_(std::exchange(other.handle_, INVALID_HANDLE_VALUE)) {}
    WindowsHandle& operator=(WindowsHandle&& other) noexcept {
        std::swap(handle_, other.handle_);
        return *this;
    }
    WindowsHandle(const WindowsHandle&) = delete;
    WindowsHandle& operator=(const WindowsHandle&) = delete;
    ~WindowsHandle() {
        if (*this) ::CloseHandle(handle_);
    }

    [[nodiscard]] HANDLE get() const noexcept { return handle_; }
    /// Functions that make handles disagree about which value means none.
    explicit operator bool() const noexcept { return handle_ != INVALID_HANDLE_VALUE && handle_ != nullptr; }

private:
    HANDLE handle_;
};

}  // namespace domino_vss
