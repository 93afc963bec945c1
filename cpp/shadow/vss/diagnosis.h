#pragma once

#include <vector>

#include "system/failure.h"

namespace domino_vss::vss {

/// What keeps this process from using VSS; empty when nothing does. Makes a backup components object for it, which
/// starts the service. In an apartment.
[[nodiscard]] std::vector<Failure> whyNotVss();

}  // namespace domino_vss::vss
