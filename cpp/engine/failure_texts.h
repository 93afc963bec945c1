#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <vector>

#include "engine/session_core.h"

namespace domino_vss::engine {

/// Why a database was skipped.
struct DatabaseFailure {
    std::size_t index = 0;
    Failure failure;
};

/// Describes the failures of all skipped databases. Domino's texts come from its runtime, which may hang, so this waits
/// for them no longer than `patience`. Call outside the window; from any thread.
[[nodiscard]] std::vector<DatabaseFailure> describeFailures(const std::shared_ptr<SessionCore>& core,
                                                            std::chrono::milliseconds patience);

}  // namespace domino_vss::engine
