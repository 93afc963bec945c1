#pragma once

#include <string>
#include <string_view>
#include <system_error>

namespace domino_vss {

// The operating system's own error numbers: errno on Linux, those of GetLastError on Windows. 0 is success.

/// The number of an error of the standard library, whichever of its categories it is in.
[[nodiscard]] int systemErrorOf(const std::error_code& error) noexcept;
[[nodiscard]] int systemErrorOf(std::errc error) noexcept;

/// `ENOSPC`, `ERROR_DISK_FULL`; empty when it is none of those that file systems and loaders return.
[[nodiscard]] std::string_view systemErrorName(int error) noexcept;

/// The system's text.
[[nodiscard]] std::string systemErrorText(int error);

}  // namespace domino_vss
