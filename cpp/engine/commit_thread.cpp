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

    /// What escaped from this thread would end the process, with databases in backup mode.
    template <typename Action>
    void attempt(Action action) {
        try {
            action();
        } catch (const Failure& caught) {
            failure = caught;
        } catch (const std::exception& caught) {
            failure.emplace(code::kState, Phase::shadow, caught.what());
        }
    }

    void run() {
        std::unique_ptr<ThreadScope> scope;
        attempt([&] { scope = core->provider->enterCommitThread(); });
        if (awaitOrder() == Order::leave) return;
        if (!failure) attempt([&] { core->provider->commit(limits); });
        {
            const std::lock_guard lock(core->mutex);
            done = true;
            core->shardFinished.notify_one();
            if (!leftToItself) return;
        }
        try {
            core->provider->remove();
        } catch (const std::exception&) {
            // It is still there for the caller's close(), which reports it.
        }
        const std::lock_guard lock(core->mutex);
        cleanedUp = true;
    }

    std::shared_ptr<SessionCore> core;
    Limits limits;  // written before the order
    // Not an atomic that is waited for: where the system has no futex, GCC's library loses wake-ups.
    std::mutex orderMutex;
    std::condition_variable ordered;
    Order order = Order::none;       // guarded by orderMutex
    std::optional<Failure> failure;  // written before done
    bool done = false;               // guarded by the core's mutex
    bool leftToItself = false;       // guarded by the core's mutex
    bool cleanedUp = false;          // guarded by the core's mutex
};

CommitThread::CommitThread(std::shared_ptr<SessionCore> core)
    : work_(std::make_shared<Work>(std::move(core))), thread_([work = work_] { work->run(); }) {}

CommitThread::~CommitThread() {
    if (work_->leftToItself) return;
    work_->give(Order::leave);
    thread_.join();
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
    // The thread cannot end while this lock is held, so it is never detached after its end.
    std::unique_lock lock(work_->core->mutex);
    if (work_->core->shardFinished.wait_for(lock, grace, [this] { return work_->done; })) return;
    work_->leftToItself = true;
    thread_.detach();
}

bool CommitThread::hangs() const {
    const std::lock_guard lock(work_->core->mutex);
    return work_->leftToItself && !work_->cleanedUp;
}

}  // namespace domino_vss::engine
