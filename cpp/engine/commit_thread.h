#pragma once

#include <chrono>
#include <memory>

#include "engine/session_core.h"
#include "system/abandonable_thread.h"

namespace domino_vss::engine {

/// Makes the shadow on a thread of its own: the calls of a provider cannot be interrupted, and databases must come out
/// of backup mode even while one of them hangs. Made while the set is prepared, for a new thread costs as much as a
/// hundred starts. All functions are for the control thread.
class CommitThread {
public:
    explicit CommitThread(std::shared_ptr<SessionCore> core);
    CommitThread(const CommitThread&) = delete;
    CommitThread& operator=(const CommitThread&) = delete;
    /// Waits for the thread, unless the commit was left to itself.
    ~CommitThread();

    /// Returns whether the shadow is there; false when the limits were exceeded first. Rethrows the provider's Failure.
    [[nodiscard]] bool run(const Limits& limits);
    /// Waits for a commit that exceeded its limits. If it does not return, nobody may use the provider any more, and
    /// its own thread removes what it makes.
    void awaitEnd(std::chrono::milliseconds grace);
    /// Not returned yet, or its thread is still removing what it made.
    [[nodiscard]] bool hangs() const;

private:
    struct Work;  // shared with the thread, which may outlive the session

    std::shared_ptr<Work> work_;
    AbandonableThread thread_;
};

}  // namespace domino_vss::engine
