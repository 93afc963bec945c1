#pragma once

#include <chrono>
#include <cstdint>
#include <stop_token>

#include "system/failure.h"

namespace domino_vss::engine {

/// CLOCK_MONOTONIC on Linux, as used by `process.hrtime`, so native and JavaScript times are comparable.
using Clock = std::chrono::steady_clock;

[[nodiscard]] inline std::int64_t nowNs() noexcept {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now().time_since_epoch()).count();
}

/// The deadline and the stop request of one call. They apply to all its phases.
struct Limits {
    std::stop_token stop;
    Clock::time_point deadline = Clock::time_point::max();
    const char* deadlineCode = code::kDeadline;  ///< the error code if the deadline passes

    /// The error code if the call must give up; nullptr if it may continue.
    [[nodiscard]] const char* exceeded() const noexcept {
        if (stop.stop_requested()) return code::kAborted;
        if (Clock::now() >= deadline) return deadlineCode;
        return nullptr;
    }

    /// A shorter limit: `time` from now, reported as `ownCode`, unless the deadline is earlier.
    [[nodiscard]] Limits within(std::chrono::milliseconds time, const char* ownCode) const noexcept {
        const Clock::time_point end = Clock::now() + time;
        return end < deadline ? Limits{stop, end, ownCode} : *this;
    }
};

}  // namespace domino_vss::engine
