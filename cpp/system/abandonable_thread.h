#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <thread>

#include "system/failure.h"

namespace domino_vss {

/// A thread for calls that may never return. It can be abandoned, and nothing that its work throws ends the process:
/// with databases in backup mode that would be an outage.
///
/// All functions are for one thread, the owner. What the work uses must be shared with it, for it may outlive the
/// owner.
class AbandonableThread {
public:
    using Work = std::function<void()>;
    /// Is told what escaped from the work, on the thread itself and as the last thing that it does.
    using Failed = std::function<void(Failure&& failure)>;

    /// Throws Failure ERR_INTERNAL when the system has no thread left.
    AbandonableThread(Work work, Failed failed);
    AbandonableThread(const AbandonableThread&) = delete;
    AbandonableThread& operator=(const AbandonableThread&) = delete;
    /// Abandons the thread if it still runs.
    ~AbandonableThread();

    /// Waits for its end. Returns whether it has ended.
    [[nodiscard]] bool endsWithin(std::chrono::milliseconds patience);
    /// Waits for its end, however long that takes.
    void join();
    /// Nobody waits for it any more; it ends when its work does.
    void abandon();

private:
    struct Shared;

    std::shared_ptr<Shared> shared_;
    std::thread thread_;  // the only std::thread of the project: see docs/decisions/abandoned-threads.md
};

}  // namespace domino_vss
