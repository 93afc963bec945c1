#pragma once

#include <string>
#include <string_view>
#include <system_error>

namespace domino_vss {

// The operating system's error numbers: errno on Linux, GetLastError on Windows. 0 is success.

/// The error number for an error of the standard library, in either of its categories.
[[nodiscard]] int systemErrorOf(const std::error_code& error) noexcept;
[[nodiscard]] int systemErrorOf(std::errc error) noexcept;

/// `ENOSPC`, `ERROR_DISK_FULL`; empty unless file systems, loaders or services commonly return it.
[[nodiscard]] std::string_view systemErrorName(int error) noexcept;

/// The system's text for an error.
[[nodiscard]] std::string systemErrorText(int error);

}  // namespace domino_vss
