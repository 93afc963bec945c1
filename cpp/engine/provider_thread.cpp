#include "engine/provider_thread.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "system/current_call.h"

namespace domino_vss::engine {

namespace {

using std::chrono::milliseconds;

/// How often the limits are checked.
constexpr milliseconds kCheckInterval{20};
/// How long the thread may take to leave its scope (COM apartment).
constexpr milliseconds kLeavePatience{2'000};

}  // namespace

struct ProviderThread::Work {
    explicit Work(std::shared_ptr<SessionCore> sessionCore) : core(std::move(sessionCore)) {}

    template <typename Action>
    std::optional<Failure> attempt(Action action) const {
        try {
            action();
            return std::nullopt;
        } catch (...) {
            return failureInFlight(core->phase);
        }
    }

    void run() {
        const CurrentCall::Watch watch(call);
        std::unique_ptr<ThreadScope> scope;
        const std::optional<Failure> notEntered = attempt([&] { scope = core->provider->enterThread(); });
        std::unique_lock lock(core->mutex);
        for (;;) {
            posted.wait(lock, [this] { return leaving || step; });
            if (!step) return;
            Step present = std::exchange(step, nullptr);
            lock.unlock();
            std::optional<Failure> failed = notEntered ? notEntered : attempt([&] { present(*core->provider); });
            present = nullptr;  // release its captures before the control thread sees the end of the step
            lock.lock();
            failure = std::move(failed);
            if (givenUp) {
                // A failure here needs no report: the caller's next close() tries again and reports it.
                present = std::exchange(afterwards, nullptr);
                lock.unlock();
                if (present) static_cast<void>(attempt([&] { present(*core->provider); }));
                lock.lock();
            }
            busy = givenUp = false;
            core->shardFinished.notify_one();
        }
    }

    [[nodiscard]] Failure hanging() const {
        const char* const function = call.function();
        Failure hangs(code::kShadowHangs, core->phase,
                      "has not returned for " + std::to_string(call.age().count()) +
                          " ms and was left to itself; the rest is done if it ever returns",
                      call.subject());
        hangs.operation = *function != '\0' ? function : "the provider";
        return hangs;
    }

    std::shared_ptr<SessionCore> core;
    CurrentCall call;
    // A condition variable, not std::atomic::wait: see docs/decisions/no-atomic-wait.md. The core's mutex guards all
    // members below.
    std::condition_variable posted;
    Step step;
    Step afterwards;                 // for a step that was given up
    std::optional<Failure> failure;  // of the last step
    bool busy = false;               // from post() to the end of the step
    bool givenUp = false;
    bool leaving = false;
};

ProviderThread::ProviderThread(std::shared_ptr<SessionCore> core)
    : work_(std::make_shared<Work>(std::move(core))),
      thread_([work = work_] { work->run(); },
              [work = work_](Failure&& failure) {
                  const std::lock_guard lock(work->core->mutex);
                  work->failure = std::move(failure);
                  work->busy = work->givenUp = false;
                  work->core->shardFinished.notify_one();
              }) {}

ProviderThread::~ProviderThread() {
    {
        const std::lock_guard lock(work_->core->mutex);
        work_->leaving = true;
        work_->posted.notify_one();
        if (work_->busy) return;
    }
    static_cast<void>(thread_.endsWithin(kLeavePatience));
}

void ProviderThread::post(Step step) {
    requireFree();
    const std::lock_guard lock(work_->core->mutex);
    work_->failure.reset();
    work_->step = std::move(step);
    work_->busy = true;
    work_->call.begin("", "");
    work_->posted.notify_one();
}

bool ProviderThread::endsWithin(const Limits& limits) {
    SessionCore& core = *work_->core;
    std::unique_lock lock(core.mutex);
    while (!core.shardFinished.wait_for(lock, kCheckInterval, [this] { return !work_->busy; }))
        if (limits.exceeded() != nullptr) return false;
    if (work_->failure) throw Failure(*work_->failure);
    return true;
}

bool ProviderThread::takesWithin(const CaptureWindow& window) {
    SessionCore& core = *work_->core;
    std::unique_lock lock(core.mutex);
    while (!core.shardFinished.wait_for(lock, kCheckInterval, [&] { return window.isTaken() || !work_->busy; }))
        if (window.exceeded() != nullptr) return false;
    if (work_->failure) throw Failure(*work_->failure);
    return true;
}

void ProviderThread::awaitEnd(milliseconds grace, Step afterwards) {
    SessionCore& core = *work_->core;
    const auto graceEnd = Clock::now() + grace;
    std::unique_lock lock(core.mutex);
    while (!core.shardFinished.wait_for(lock, std::min(kCheckInterval, grace), [this] { return !work_->busy; })) {
        if (Clock::now() < graceEnd || work_->call.age() < grace) continue;
        work_->givenUp = true;
        work_->afterwards = std::move(afterwards);
        throw work_->hanging();
    }
    if (work_->failure) throw Failure(*work_->failure);
}

void ProviderThread::requireFree() const {
    const std::lock_guard lock(work_->core->mutex);
    if (work_->busy) throw work_->hanging();
}

}  // namespace domino_vss::engine
