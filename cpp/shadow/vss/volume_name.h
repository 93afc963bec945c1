#pragma once

#include <string>

#include "system/failure.h"

namespace domino_vss::vss {

/// The unique name of the volume that contains a path: `\\?\Volume{…}\`, or the root of a share. The path may be a
/// volume name, a drive letter, a mount point or any path below one, and may contain environment variables, as in
/// writers' metadata. Throws Failure.
[[nodiscard]] std::string volumeNameOf(const std::string& path, Phase phase);

}  // namespace domino_vss::vss
