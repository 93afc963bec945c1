#include "engine/session.h"

#include <algorithm>
#include <future>
#include <string>
#include <utility>

#include "system/sync.h"

namespace domino_vss::engine {

namespace {

using std::chrono::milliseconds;

/// How long a step that gives up still waits for running calls.
constexpr milliseconds kGrace{2'000};
/// How long a step that gives up waits for the removal of the shadow, unless it hangs.
constexpr milliseconds kRemovalTimeout{60'000};
/// Upper limit for the grace period of a provider call.
constexpr milliseconds kLongestProviderGrace{10'000};

Failure limitFailure(const char* reason, Phase phase) {
    return describeStatus(engineStatus(reason), phase, "");
}

/// Runs its action unless released: rolls back when a step fails.
template <typename Action>
class OnFailure {
public:
    explicit OnFailure(Action action) : action_(std::move(action)) {}
    OnFailure(const OnFailure&) = delete;
    OnFailure& operator=(const OnFailure&) = delete;
    ~OnFailure() {
        if (!armed_) return;
        try {
            action_();
        } catch (...) {
            // Anything that could not be removed is left for the caller's close(), which reports it.
        }
    }
    void release() noexcept { armed_ = false; }

private:
    Action action_;
    bool armed_ = true;
};

std::shared_ptr<SessionCore> makeCore(const SessionOptions& options, std::unique_ptr<DatabaseSource> source,
                                      std::unique_ptr<ShadowProvider> provider) {
    auto core = std::make_shared<SessionCore>();
    core->source = std::move(source);
    core->provider = std::move(provider);
    core->deltaDirectory = options.deltaDirectory;
    return core;
}

void removeShadow(ShadowProvider& provider) {
    provider.remove();
}

/// A session has fewer phases than this. Reserved so that recording a phase does not allocate during cleanup.
std::vector<PhaseSpan> roomForPhases() {
    std::vector<PhaseSpan> phases;
    phases.reserve(16);
    return phases;
}

}  // namespace

Session::Session(const SessionOptions& options, std::unique_ptr<DatabaseSource> source,
                 std::unique_ptr<ShadowProvider> provider)
    : options_(options),
      core_(makeCore(options, std::move(source), std::move(provider))),
      crew_(core_, options.shards, options.databaseBudget),
      phases_(roomForPhases()),
      // control() is not expected to throw outside a step. If it does, take the databases out of backup mode.
      control_([this] { control(); },
               [this](Failure&&) {
                   runAbandon();
                   refuseTasks();
               }) {}

Session::~Session() {
    cancel();
    {
        const std::lock_guard lock(mutex_);
        exit_ = true;
    }
    taskPosted_.notify_one();
    control_.join();
}

void Session::add(DatabaseSpec spec) {
    core_->records.emplace_back(std::move(spec));
}

void Session::open(milliseconds timeout, Completion done) {
    post(
        timeout, [this](const Limits& limits) { openStep(limits); }, std::move(done));
}

void Session::prepare(milliseconds timeout, Completion done) {
    post(
        timeout, [this](const Limits& limits) { prepareStep(limits); }, std::move(done));
}

void Session::capture(milliseconds timeout, Completion done) {
    post(
        timeout, [this](const Limits& limits) { captureStep(limits); }, std::move(done));
}

void Session::close(Closing closing, milliseconds timeout, Completion done) {
    post(
        timeout, [this, closing = std::move(closing)](const Limits& limits) { closeStep(closing, limits); },
        std::move(done));
}

void Session::renewLease() {
    post(
        kGrace, [](const Limits&) {}, [](Failure*) {});
}

void Session::cancel() noexcept {
    stopSource_.request_stop();
}

Session::Aborted Session::abortAndWait(milliseconds timeout) {
    cancel();
    // Shared, because the control thread may answer after this wait has timed out.
    struct Answer {
        bool wasOpen = false;
        std::promise<void> settled;
    };
    const auto answer = std::make_shared<Answer>();
    std::future<void> settled = answer->settled.get_future();
    post(
        timeout,
        [this, answer](const Limits&) {
            answer->wasOpen = stage_ != Stage::closed;
            abandon();
        },
        [answer](Failure*) { answer->settled.set_value(); });
    if (settled.wait_for(timeout) != std::future_status::ready) return Aborted::unanswered;
    return answer->wasOpen ? Aborted::wasOpen : Aborted::wasClosed;
}

Progress Session::progress() const noexcept {
    return {core_->phase.load(), core_->done.load(), core_->total.load()};
}

std::vector<PhaseSpan> Session::phases() const {
    const std::lock_guard lock(mutex_);
    return phases_;
}

std::vector<DatabaseFailure> Session::failures() const {
    const std::lock_guard lock(mutex_);
    return failures_;
}

ServerTime Session::afterLastStart() const {
    const std::lock_guard lock(core_->mutex);
    return core_->afterLastStart;
}

// --- control thread -------------------------------------------------------------------------------------------------

void Session::post(milliseconds timeout, Step step, Completion done) {
    Task task{timeout, std::move(step), Settlement(std::move(done))};  // settles without the lock if it is refused
    {
        const std::lock_guard lock(mutex_);
        if (refuses_) return;
        tasks_.push_back(std::move(task));
    }
    taskPosted_.notify_one();
}

void Session::refuseTasks() {
    std::deque<Task> refused;  // settled without the lock
    const std::lock_guard lock(mutex_);
    refuses_ = true;
    refused.swap(tasks_);
}

void Session::control() {
    for (;;) {
        std::optional<Task> task;
        {
            std::unique_lock lock(mutex_);
            const auto ready = [this] { return exit_ || !tasks_.empty(); };
            if (!lease_) {
                taskPosted_.wait(lock, ready);
            } else if (!taskPosted_.wait_until(lock, *lease_, ready)) {
                lock.unlock();
                closedReason_ = code::kLeaseExpired;
                runAbandon();
                continue;
            }
            if (tasks_.empty()) break;
            task.emplace(std::move(tasks_.front()));
            tasks_.pop_front();
        }
        runStep(task->step, task->timeout, std::move(task->done));
    }
    runAbandon();
}

void Session::runAbandon() {
    runStep([this](const Limits&) { abandon(); }, kGrace, Settlement([](Failure*) {}));
}

void Session::runStep(const Step& step, milliseconds timeout, Settlement done) {
    lease_.reset();
    const Limits limits{stopSource_.get_token(), Clock::now() + timeout};
    std::optional<Failure> failure;
    try {
        step(limits);
    } catch (...) {
        failure = failureInFlight(core_->phase);
    }
    core_->phase = stage_ == Stage::closed ? Phase::closed : Phase::idle;
    if (stage_ == Stage::opened || stage_ == Stage::prepared) lease_ = Clock::now() + options_.lease;
    done.settle(failure ? &*failure : nullptr);
}

void Session::requireStage(Stage stage) const {
    if (stage_ == stage) return;
    if (closedReason_ != nullptr)
        throw Failure(closedReason_, Phase::closed, "the session stayed open longer than its lease and was aborted");
    if (stopSource_.stop_requested()) throw limitFailure(code::kAborted, Phase::closed);
    throw Failure(code::kState, core_->phase.load(), "called out of order");
}

void Session::openStep(const Limits& limits) {
    requireStage(Stage::created);
    OnFailure back([this] { abandon(); });
    enterPhase(Phase::open);
    provider_ = std::make_unique<ProviderThread>(core_);
    runInProvider([limits](ShadowProvider& provider) { provider.begin(limits); }, limits, removeShadow);
    crew_.run(ShardCommand::open, limits);
    leavePhase();
    if (const char* reason = limits.exceeded()) throw limitFailure(reason, Phase::open);
    describeFailures();
    stage_ = Stage::opened;
    back.release();
}

void Session::prepareStep(const Limits& limits) {
    requireStage(Stage::opened);
    OnFailure back([this] { abandon(); });
    enterPhase(Phase::prepare);
    // As late as possible, but not inside the window, nor while the provider holds the machine-wide lock.
    if (core_->provider->scope() != CaptureScope::rolling) crew_.run(ShardCommand::readLogPositions, limits);
    {
        // In a block, so that the specs of 100 000 databases are freed before the set is prepared and not before the
        // first start.
        auto databases = std::make_shared<std::vector<DatabaseSpec>>();
        for (const DatabaseRecord& record : core_->records)
            if (record.state.load() == State::open) databases->push_back(record.spec);
        runInProvider([databases = std::move(databases),
                       limits](ShadowProvider& provider) { provider.prepare(*databases, limits); },
                      limits, removeShadow);
    }
    leavePhase();
    if (const char* reason = limits.exceeded()) throw limitFailure(reason, Phase::prepare);
    stage_ = Stage::prepared;
    back.release();
}

void Session::captureStep(const Limits& limits) {
    requireStage(Stage::prepared);
    OnFailure back([this] { abandon(); });
    switch (core_->provider->scope()) {
        case CaptureScope::set: captureSet(limits); break;
        case CaptureScope::file: captureFiles(limits); break;
        case CaptureScope::rolling: captureRolling(limits); break;
    }
    if (const char* reason = limits.exceeded()) throw limitFailure(reason, Phase::drain);
    runInProvider(
        [limits](ShadowProvider& provider) {
            provider.afterWindow(limits);
            provider.makeDurable();
        },
        limits, removeShadow);
    if (!core_->records.empty()) syncDirectory(core_->deltaDirectory, code::kDeltaWrite, Phase::drain);
    crew_.release();
    describeFailures();
    stage_ = Stage::captured;
    captured_ = true;
    back.release();
}

/// The freeze window of a provider with scope `set`. Inside it, shard threads do not allocate, log or format unless a
/// database fails.
void Session::captureSet(const Limits& limits) {
    const Limits window = limits.within(options_.window, code::kWindowTimeout);
    const auto capture = std::make_shared<CaptureWindow>(window, limits, [core = core_] {
        const std::lock_guard lock(core->mutex);
        core->shardFinished.notify_one();
    });
    startAll(window);
    enterPhase(Phase::shadow);
    provider_->post([capture](ShadowProvider& provider) { provider.commitWithin(capture); });
    if (!provider_->takesWithin(*capture)) {
        const char* const reason = window.exceeded();
        crew_.release();  // first: the shadow may take forever, but the databases must leave backup mode
        provider_->awaitEnd(providerGrace(), removeShadow);
        throw limitFailure(reason, Phase::shadow);
    }
    leavePhase();
    enterPhase(Phase::stop);
    crew_.run(ShardCommand::stop, limits);
    leavePhase();
    drainAll(limits);
    // The commit may continue after the shadow was taken, and may still fail.
    if (!provider_->endsWithin(limits)) {
        const char* const reason = limits.exceeded();
        crew_.release();
        provider_->awaitEnd(providerGrace(), removeShadow);
        throw limitFailure(reason, Phase::shadow);
    }
}

void Session::captureFiles(const Limits& limits) {
    const Limits window = limits.within(options_.window, code::kWindowTimeout);
    startAll(window);
    enterPhase(Phase::shadow);
    crew_.run(ShardCommand::captureAndStop, window);
    leavePhase();
    if (const char* reason = window.exceeded()) throw limitFailure(reason, Phase::shadow);
    drainAll(limits);
}

void Session::captureRolling(const Limits& limits) {
    enterPhase(Phase::shadow);
    crew_.run(ShardCommand::roll, limits);
    leavePhase();
}

void Session::startAll(const Limits& limits) {
    enterPhase(Phase::start);
    crew_.run(ShardCommand::start, limits);
    leavePhase();
    if (const char* reason = limits.exceeded()) throw limitFailure(reason, Phase::start);
}

void Session::drainAll(const Limits& limits) {
    enterPhase(Phase::drain);
    crew_.run(ShardCommand::drain, limits);
    leavePhase();
}

void Session::closeStep(const Closing& closing, const Limits& limits) {
    if (stage_ != Stage::closed) {
        enterPhase(Phase::end);
        crew_.release();
        stage_ = Stage::closed;
        leavePhase();
        try {
            describeFailures();
        } catch (...) {
            // A shadow that is no longer wanted must be removed anyway.
        }
    }
    settleShadow(captured_ ? closing : Closing{}, limits);
}

void Session::abandon() {
    closeStep({}, {{}, Clock::now() + kRemovalTimeout});
}

void Session::settleShadow(const Closing& closing, const Limits& limits) {
    if (shadowSettled_) return;
    if (!provider_) return;  // nothing was started
    const auto settle = [keep = closing.keepShadow](ShadowProvider& provider) {
        if (keep)
            provider.keep();
        else
            provider.remove();
    };
    std::optional<Failure> notCompleted;
    if (closing.untold || (closing.succeeded && !completed_)) {
        const bool complete = closing.succeeded && !completed_;
        completed_ = completed_ || complete;
        const auto tell = [untold = closing.untold, complete, deleted = closing.deletedShadows,
                           limits](ShadowProvider& provider) {
            if (untold) provider.leaveUntold();
            if (complete) provider.complete(deleted, limits);
        };
        try {
            runInProvider(tell, limits, settle);
        } catch (...) {
            notCompleted = failureInFlight(Phase::end);
        }
    }
    // Without the stop request: a cancelled session must not leave a shadow behind.
    runInProvider(settle, {{}, limits.deadline}, nullptr);
    provider_.reset();  // ends its thread
    shadowSettled_ = true;
    if (notCompleted) throw Failure(*notCompleted);
}

void Session::runInProvider(ProviderThread::Step step, const Limits& limits, ProviderThread::Step afterwards) {
    provider_->post(std::move(step));
    if (!provider_->endsWithin(limits)) provider_->awaitEnd(providerGrace(), std::move(afterwards));
}

milliseconds Session::providerGrace() const noexcept {
    return std::min(options_.databaseBudget, kLongestProviderGrace);
}

void Session::enterPhase(Phase phase) {
    core_->done = 0;
    core_->total = static_cast<std::uint32_t>(core_->records.size());
    core_->phase = phase;
    const std::lock_guard lock(mutex_);
    // A phase that failed has no end yet.
    if (!phases_.empty() && phases_.back().endNs == 0) phases_.back().endNs = nowNs();
    phases_.push_back({phase, nowNs(), 0});
}

void Session::leavePhase() {
    const std::lock_guard lock(mutex_);
    phases_.back().endNs = nowNs();
}

void Session::describeFailures() {
    std::vector<DatabaseFailure> described = engine::describeFailures(core_, kGrace);
    const std::lock_guard lock(mutex_);
    failures_ = std::move(described);
}

}  // namespace domino_vss::engine
