#pragma once

#include <string>
#include <vector>

#include "shadow/vss/warning.h"

namespace domino_vss::vss {

/// Warns if there may be too little storage for another shadow of the volume. VSS does not refuse such a shadow; it
/// vanishes while it is being copied. Checks the system provider; other providers manage their own storage.
[[nodiscard]] std::vector<Warning> checkShadowStorage(const std::string& volume);

}  // namespace domino_vss::vss
