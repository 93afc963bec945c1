#pragma once

#include <filesystem>
#include <string_view>

namespace domino_sim {

/**
 * A path given in UTF-8, which all texts here are. On Windows the library GCC brings takes narrow text for single-byte
 * characters; what path::string() gives is UTF-8 all the same.
 */
inline std::filesystem::path pathOf(std::string_view utf8) {
    return {std::u8string_view(reinterpret_cast<const char8_t*>(utf8.data()), utf8.size())};
}

}  // namespace domino_sim
