#pragma once

#include <functional>
#include <utility>

#include "system/failure.h"

namespace domino_vss::engine {

/// Calls a completion exactly once. If nobody has settled it when it is destroyed, because its step was never run, it
/// fails with ERR_INTERNAL: a caller must not wait for ever.
class Settlement {
public:
    /// nullptr means success. The failure may be moved from.
    using Completion = std::function<void(Failure*)>;

    explicit Settlement(Completion done) noexcept : done_(std::move(done)) {}
    Settlement(const Settlement&) = delete;
    Settlement& operator=(const Settlement&) = delete;
    Settlement(Settlement&& other) noexcept : done_(std::exchange(other.done_, nullptr)) {}
    Settlement& operator=(Settlement&&) = delete;
    ~Settlement() {
        if (!done_) return;
        Failure neverRun(code::kInternal, Phase::closed, "not run");  // short enough not to allocate
        settle(&neverRun);
    }

    void settle(Failure* failure) noexcept {
        const Completion done = std::exchange(done_, nullptr);
        if (!done) return;
        try {
            done(failure);
        } catch (...) {
            // The completion's own failure. It must not end this thread, which has databases to take out of backup
            // mode.
        }
    }

private:
    Completion done_;
};

}  // namespace domino_vss::engine
