#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <thread>

#include "system/failure.h"

namespace domino_vss {

/// A thread for calls that may never return. It can be abandoned, and an exception from its work does not end the
/// process: with databases in backup mode, that would be an outage.
///
/// All member functions are for one thread, the owner. The work must share ownership of everything it uses, because it
/// may outlive the owner.
class AbandonableThread {
public:
    using Work = std::function<void()>;
    /// Receives an exception of the work. Called on the thread itself, last. Must not throw.
    using Failed = std::function<void(Failure&& failure)>;

    /// Throws Failure ERR_INTERNAL if the system cannot create a thread.
    AbandonableThread(Work work, Failed failed);
    AbandonableThread(const AbandonableThread&) = delete;
    AbandonableThread& operator=(const AbandonableThread&) = delete;
    /// Abandons the thread if it is still running.
    ~AbandonableThread();

    /// Waits for the thread. Returns true if it has ended.
    [[nodiscard]] bool endsWithin(std::chrono::milliseconds patience);
    /// Waits without a time limit.
    void join();
    /// Detaches the thread; it ends when its work does.
    void abandon();

private:
    struct Shared;

    std::shared_ptr<Shared> shared_;
    std::thread thread_;  // the only std::thread of the project: see docs/decisions/abandoned-threads.md
};

}  // namespace domino_vss
