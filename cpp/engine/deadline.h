#pragma once

#include <chrono>
#include <cstdint>
#include <stop_token>

#include "system/failure.h"

namespace domino_vss::engine {

/// CLOCK_MONOTONIC on Linux: the clock of `process.hrtime`, so native and JavaScript times can be compared.
using Clock = std::chrono::steady_clock;

[[nodiscard]] inline std::int64_t nowNs() noexcept {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now().time_since_epoch()).count();
}

/// The one deadline and the one stop request that run through all phases of a call.
struct Limits {
    std::stop_token stop;
    Clock::time_point deadline = Clock::time_point::max();
    const char* deadlineCode = code::kDeadline;  ///< what it means that the deadline has passed

    /// The code to give up with, or nullptr to go on.
    [[nodiscard]] const char* exceeded() const noexcept {
        if (stop.stop_requested()) return code::kAborted;
        if (Clock::now() >= deadline) return deadlineCode;
        return nullptr;
    }

    /// Ends earlier: after `time`, with a code of its own, unless the deadline comes first.
    [[nodiscard]] Limits within(std::chrono::milliseconds time, const char* ownCode) const noexcept {
        const Clock::time_point end = Clock::now() + time;
        return end < deadline ? Limits{stop, end, ownCode} : *this;
    }
};

}  // namespace domino_vss::engine
