#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace domino_vss {

// Paths cross the boundary to JavaScript as UTF-8 and stay UTF-8 here. On Windows, std::filesystem would interpret a
// narrow string in the ANSI code page instead.

inline constexpr char kSeparator = static_cast<char>(std::filesystem::path::preferred_separator);

/// The path in the form for the operating system; on Windows the extended form (`\\?\`), which has no limit of 260
/// characters.
[[nodiscard]] std::filesystem::path pathOf(std::string_view utf8);

/// Whether the path is absolute: on Windows a drive with a separator, a share, a volume or a device.
[[nodiscard]] bool isAbsolute(std::string_view utf8) noexcept;

/// The path as users write it, in UTF-8.
[[nodiscard]] std::string utf8Of(const std::filesystem::path& path);

#ifdef _WIN32
[[nodiscard]] std::wstring toUtf16(std::string_view utf8);
[[nodiscard]] std::string toUtf8(std::wstring_view utf16);
#endif

}  // namespace domino_vss
