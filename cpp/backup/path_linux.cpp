#include "backup/path.h"

namespace domino_vss::backup {

std::filesystem::path pathOf(std::string_view utf8) {
    return utf8;
}

std::string utf8Of(const std::filesystem::path& path) {
    return path.native();
}

}  // namespace domino_vss::backup
