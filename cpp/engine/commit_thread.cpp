#include "engine/commit_thread.h"

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <optional>
#include <utility>

namespace domino_vss::engine {

namespace {

/// How often the limits are looked at.
constexpr std::chrono::milliseconds kCheckInterval{20};
/// How long the thread may take to leave without a commit; what it entered may hang.
constexpr std::chrono::seconds kLeavePatience{2};

enum class Order : std::uint8_t { none, commit, leave };

}  // namespace

struct CommitThread::Work {
    explicit Work(std::shared_ptr<SessionCore> sessionCore) : core(std::move(sessionCore)) {}

    void give(Order given) {
        const std::lock_guard lock(orderMutex);
        if (order == Order::none) order = given;
        ordered.notify_one();
    }

    [[nodiscard]] Order awaitOrder() {
        std::unique_lock lock(orderMutex);
        ordered.wait(lock, [this] { return order != Order::none; });
        return order;
    }

    template <typename Action>
    static std::optional<Failure> attempt(Action action) {
        try {
            action();
            return std::nullopt;
        } catch (...) {
            return failureInFlight(Phase::shadow);
        }
    }

    /// The commit has ended. Returns whether it had been left to itself.
    bool end(std::optional<Failure> failed) {
        const std::lock_guard lock(core->mutex);
        if (!done) failure = std::move(failed);
        done = true;
        core->shardFinished.notify_one();
        return leftToItself;
    }

    void run() {
        std::unique_ptr<ThreadScope> scope;
        std::optional<Failure> failed = attempt([&] { scope = core->provider->enterCommitThread(); });
        if (awaitOrder() == Order::leave) return;
        if (!failed) failed = attempt([&] { core->provider->commit(limits); });
        if (!end(std::move(failed))) return;
        // What cannot be removed is still there for the caller's close(), which reports it.
        static_cast<void>(attempt([&] { core->provider->remove(); }));
        const std::lock_guard lock(core->mutex);
        cleanedUp = true;
    }

    std::shared_ptr<SessionCore> core;
    Limits limits;  // written before the order
    // Not an atomic that is waited for: see docs/decisions/no-atomic-wait.md.
    std::mutex orderMutex;
    std::condition_variable ordered;
    Order order = Order::none;       // guarded by orderMutex
    std::optional<Failure> failure;  // written before done
    bool done = false;               // guarded by the core's mutex
    bool leftToItself = false;       // guarded by the core's mutex
    bool cleanedUp = false;          // guarded by the core's mutex
};

CommitThread::CommitThread(std::shared_ptr<SessionCore> core)
    : work_(std::make_shared<Work>(std::move(core))),
      thread_([work = work_] { work->run(); }, [work = work_](Failure&& failure) { work->end(std::move(failure)); }) {}

CommitThread::~CommitThread() {
    if (work_->leftToItself) return;
    work_->give(Order::leave);
    static_cast<void>(thread_.endsWithin(kLeavePatience));
}

bool CommitThread::run(const Limits& limits) {
    work_->limits = limits;
    work_->give(Order::commit);
    SessionCore& core = *work_->core;
    {
        std::unique_lock lock(core.mutex);
        const auto done = [this] { return work_->done; };
        while (!core.shardFinished.wait_for(lock, kCheckInterval, done))
            if (limits.exceeded() != nullptr) return false;
    }
    if (work_->failure) throw Failure(*work_->failure);
    return true;
}

void CommitThread::awaitEnd(std::chrono::milliseconds grace) {
    std::unique_lock lock(work_->core->mutex);
    if (work_->core->shardFinished.wait_for(lock, grace, [this] { return work_->done; })) return;
    work_->leftToItself = true;
    thread_.abandon();
}

bool CommitThread::hangs() const {
    const std::lock_guard lock(work_->core->mutex);
    return work_->leftToItself && !work_->cleanedUp;
}

}  // namespace domino_vss::engine
