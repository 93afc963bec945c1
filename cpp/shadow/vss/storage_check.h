#pragma once

#include <string>
#include <vector>

#include "shadow/vss/warning.h"

namespace domino_vss::vss {

/// What speaks against room for a further shadow of the volume. A shadow that is short of room is not
/// refused: it vanishes while it is being copied. Asks the system's provider; other providers keep their own storage.
[[nodiscard]] std::vector<Warning> checkShadowStorage(const std::string& volume);

}  // namespace domino_vss::vss
