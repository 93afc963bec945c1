#include "system/path.h"

namespace domino_vss {

std::filesystem::path pathOf(std::string_view utf8) {
    return utf8;
}

bool isAbsolute(std::string_view utf8) noexcept {
    return utf8.starts_with('/');
}

std::string utf8Of(const std::filesystem::path& path) {
    return path.native();
}

}  // namespace domino_vss
