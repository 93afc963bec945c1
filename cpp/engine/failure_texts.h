#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <vector>

#include "engine/session_core.h"

namespace domino_vss::engine {

/// Why a database was left out.
struct DatabaseFailure {
    std::size_t index = 0;
    Failure failure;
};

/// The failures of all databases that were left out, in words. Domino's own texts come from its runtime, which may hang
/// as in any other call: it is not waited for longer than `patience`. Outside the window; on any thread.
[[nodiscard]] std::vector<DatabaseFailure> describeFailures(const std::shared_ptr<SessionCore>& core,
                                                            std::chrono::milliseconds patience);

}  // namespace domino_vss::engine
