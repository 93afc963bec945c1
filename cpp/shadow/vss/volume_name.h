#pragma once

#include <string>

#include "system/failure.h"

namespace domino_vss::vss {

/// The one name of the volume that a path lies on: `\\?\Volume{…}\`, or the root of a share. A volume's name, a letter,
/// a mount point or any path below one may be given; it may contain environment variables, as writers write them.
/// Throws Failure.
[[nodiscard]] std::string volumeNameOf(const std::string& path, Phase phase);

}  // namespace domino_vss::vss
