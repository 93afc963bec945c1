#pragma once

#include <vector>

#include "system/failure.h"

namespace domino_vss::vss {

/// The reasons why this process cannot use VSS; empty if there are none. Creates a backup components object, which
/// starts the service. Call it in an apartment.
[[nodiscard]] std::vector<Failure> whyNotVss();

}  // namespace domino_vss::vss
