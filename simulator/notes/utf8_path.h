#pragma once

#include <filesystem>
#include <string_view>

namespace domino_sim {

/**
 * A path from a UTF-8 string; all strings here are UTF-8. On Windows, GCC's library interprets narrow strings as
 * single-byte characters, although path::string() returns UTF-8.
 */
inline std::filesystem::path pathOf(std::string_view utf8) {
    return {std::u8string_view(reinterpret_cast<const char8_t*>(utf8.data()), utf8.size())};
}

}  // namespace domino_sim
