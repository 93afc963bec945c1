#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace domino_vss {

// Paths cross the boundary to JavaScript in UTF-8, and this project keeps them so. On Windows that is not what
// std::filesystem takes a narrow string for.

inline constexpr char kSeparator = static_cast<char>(std::filesystem::path::preferred_separator);

/// The path for the operating system; on Windows in the extended form, which knows no limit of 260 characters.
[[nodiscard]] std::filesystem::path pathOf(std::string_view utf8);

/// Whether the path says where it starts: on Windows with a drive and a backslash, or as a share, volume or device.
[[nodiscard]] bool isAbsolute(std::string_view utf8) noexcept;

/// The path as people write it, in UTF-8.
[[nodiscard]] std::string utf8Of(const std::filesystem::path& path);

#ifdef _WIN32
[[nodiscard]] std::wstring toUtf16(std::string_view utf8);
[[nodiscard]] std::string toUtf8(std::wstring_view utf16);
#endif

}  // namespace domino_vss
