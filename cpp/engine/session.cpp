#include "engine/session.h"

#include <algorithm>
#include <future>
#include <string>
#include <utility>

#include "engine/balance.h"
#include "engine/failure_texts.h"
#include "system/sync.h"

namespace domino_vss::engine {

namespace {

using std::chrono::milliseconds;

/// How long a step that gives up still waits for calls that are on their way.
constexpr milliseconds kGrace{2'000};
/// How often budgets and limits are looked at while shards work.
constexpr milliseconds kCheckInterval{20};

Failure limitFailure(const char* reason, Phase phase) {
    return describeStatus(engineStatus(reason), phase, "");
}

/// More than this many threads help nobody: with a server that does not answer at all, each relief would hang as well.
constexpr std::size_t kMostShards = 128;

std::int64_t nanoseconds(milliseconds time) {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(time).count();
}

/// Runs its action unless released: the way back when a step fails between here and there.
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
            // What could not be removed is still there for the caller's close(), which reports it.
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

/// A session passes through fewer phases than this; noting them must not be what fails on the way out.
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
      phases_(roomForPhases()),
      // Nothing is known that could fail there outside of a step; should it, the databases come out.
      control_([this] { control(); },
               [this](Failure&&) { runStep([this](const Limits&) { abandon(); }, kGrace, [](Failure*) {}); }) {}

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
    // Shared: the control thread may answer after this wait has been given up.
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
    {
        const std::lock_guard lock(mutex_);
        tasks_.emplace_back(
            [this, timeout, step = std::move(step), done = std::move(done)] { runStep(step, timeout, done); });
    }
    taskPosted_.notify_one();
}

void Session::control() {
    for (;;) {
        std::function<void()> task;
        {
            std::unique_lock lock(mutex_);
            const auto ready = [this] { return exit_ || !tasks_.empty(); };
            if (!lease_) {
                taskPosted_.wait(lock, ready);
            } else if (!taskPosted_.wait_until(lock, *lease_, ready)) {
                lock.unlock();
                closedReason_ = code::kLeaseExpired;
                runStep([this](const Limits&) { abandon(); }, kGrace, [](Failure*) {});
                continue;
            }
            if (tasks_.empty()) break;
            task = std::move(tasks_.front());
            tasks_.pop_front();
        }
        task();
    }
    runStep([this](const Limits&) { abandon(); }, kGrace, [](Failure*) {});
}

void Session::runStep(const Step& step, milliseconds timeout, const Completion& done) {
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
    try {
        done(failure ? &*failure : nullptr);
    } catch (...) {
        // The caller's own failure. It must not be the end of this thread, which has databases to take out.
    }
}

void Session::requireStage(Stage stage) const {
    if (stage_ == stage) return;
    if (closedReason_ != nullptr)
        throw Failure(closedReason_, Phase::closed, "the session stayed open longer than its lease and was aborted");
    if (stopSource_.stop_requested()) throw limitFailure(code::kAborted, Phase::closed);
    throw Failure(code::kState, core_->phase.load(), "this call is out of order");
}

void Session::openStep(const Limits& limits) {
    requireStage(Stage::created);
    OnFailure back([this] { abandon(); });
    enterPhase(Phase::open);
    core_->provider->begin(limits);
    const std::size_t count = std::min<std::size_t>(options_.shards, core_->records.size());
    std::vector<std::uint32_t> costs;
    for (const DatabaseRecord& record : core_->records) costs.push_back(record.spec.costUs);
    for (auto& records : spreadOverShards(costs, count))
        shards_.push_back(
            std::make_unique<Shard>(core_, static_cast<std::uint16_t>(shards_.size()), std::move(records)));
    broadcast(ShardCommand::open, limits);
    awaitRelieving(ShardCommand::open, limits);
    requireWorkingShards();
    leaveOutUnfinished(Phase::open);
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
    {
        // In a block: freeing the texts of 100 000 databases would lie between a prepared set and its first start.
        std::vector<DatabaseSpec> databases;
        for (const DatabaseRecord& record : core_->records)
            if (record.state.load() == State::open) databases.push_back(record.spec);
        core_->provider->prepare(databases, limits);
    }
    if (core_->provider->scope() == CaptureScope::set) commit_ = std::make_unique<CommitThread>(core_);
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
    core_->provider->afterWindow(limits);
    core_->provider->makeDurable();
    if (!core_->records.empty()) syncDirectory(core_->deltaDirectory, code::kDeltaWrite, Phase::drain);
    releaseDatabases();
    describeFailures();
    stage_ = Stage::captured;
    captured_ = true;
    back.release();
}

/// The freeze window of a set provider. The shard threads neither allocate, log nor format in it unless a database
/// fails.
void Session::captureSet(const Limits& limits) {
    startAll(limits);
    enterPhase(Phase::shadow);
    if (!commit_->run(limits)) {
        releaseDatabases();  // first of all: the shadow may take for ever, the databases must not
        commit_->awaitEnd(options_.commitGrace);
        throw limitFailure(limits.exceeded(), Phase::shadow);
    }
    leavePhase();
    enterPhase(Phase::stop);
    broadcast(ShardCommand::stop, limits);
    awaitAll(limits);
    requireWorkingShards();
    leavePhase();
    drainAll(limits);
}

void Session::captureFiles(const Limits& limits) {
    startAll(limits);
    enterPhase(Phase::shadow);
    broadcast(ShardCommand::captureAndStop, limits);
    awaitAll(limits);
    requireWorkingShards();
    leavePhase();
    if (const char* reason = limits.exceeded()) throw limitFailure(reason, Phase::shadow);
    drainAll(limits);
}

void Session::captureRolling(const Limits& limits) {
    enterPhase(Phase::shadow);
    broadcast(ShardCommand::roll, limits);
    awaitRelieving(ShardCommand::roll, limits);
    requireWorkingShards();
    leaveOutUnfinished(Phase::start);
    leavePhase();
}

void Session::startAll(const Limits& limits) {
    enterPhase(Phase::start);
    broadcast(ShardCommand::start, limits);
    awaitRelieving(ShardCommand::start, limits);
    requireWorkingShards();
    leaveOutUnfinished(Phase::start);
    leavePhase();
    if (const char* reason = limits.exceeded()) throw limitFailure(reason, Phase::start);
}

void Session::drainAll(const Limits& limits) {
    enterPhase(Phase::drain);
    broadcast(ShardCommand::drain, limits);
    awaitAll(limits);
    requireWorkingShards();
    leavePhase();
}

void Session::closeStep(const Closing& closing, const Limits& limits) {
    if (stage_ != Stage::closed) {
        enterPhase(Phase::end);
        releaseDatabases();
        stage_ = Stage::closed;
        leavePhase();
        try {
            describeFailures();
        } catch (...) {
            // A shadow that is no longer wanted must go all the same.
        }
    }
    settleShadow(captured_ ? closing : Closing{}, limits);
}

void Session::abandon() {
    closeStep({}, {});
}

void Session::settleShadow(const Closing& closing, const Limits& limits) {
    if (shadowSettled_) return;
    if (commit_ && commit_->hangs())
        throw Failure(code::kShadow, Phase::end,
                      "the call that makes the shadow has not returned; what it makes is removed when it returns");
    commit_.reset();  // its thread leaves
    std::optional<Failure> notCompleted;
    if (closing.succeeded && !completed_) {
        completed_ = true;
        try {
            core_->provider->complete(closing.deletedShadows, limits);
        } catch (...) {
            notCompleted = failureInFlight(Phase::end);
        }
    }
    if (closing.keepShadow)
        core_->provider->keep();
    else
        core_->provider->remove();
    shadowSettled_ = true;
    if (notCompleted) throw Failure(*notCompleted);
}

/// Databases out of backup mode, closed, threads gone; those that hang are given up and named.
void Session::releaseDatabases() {
    if (shards_.empty()) return;
    const Limits grace{{}, Clock::now() + kGrace};
    for (const auto& shard : shards_) shard->finish();
    awaitAll(grace);
    for (std::size_t i = 0; i < shards_.size(); ++i) {
        if (!shards_[i]->idle()) continue;
        for (const std::size_t index : shards_[i]->records())  // whatever hung there has returned and was ended
            if (core_->records[index].shard == i) core_->records[index].hanging = false;
    }
    shards_.clear();
    for (DatabaseRecord& record : core_->records) {
        for (const State state : {State::pending, State::open, State::started, State::stopped})
            record.skip(state, engineStatus(code::kDatabaseNotReached), core_->phase.load());
    }
}

void Session::broadcast(ShardCommand command, const Limits& limits) {
    for (const auto& shard : shards_) {
        if (shard->idle()) shard->late = false;  // it has caught up
        shard->post(command, limits);
    }
}

void Session::requireWorkingShards() const {
    for (const auto& shard : shards_)
        if (const std::optional<Failure>& failure = shard->failure()) throw Failure(*failure);
}

void Session::enterPhase(Phase phase) {
    core_->done = 0;
    core_->total = static_cast<std::uint32_t>(core_->records.size());
    core_->phase = phase;
    const std::lock_guard lock(mutex_);
    phases_.push_back({phase, nowNs(), 0});
}

void Session::leavePhase() {
    const std::lock_guard lock(mutex_);
    phases_.back().endNs = nowNs();
}

void Session::awaitRelieving(ShardCommand command, const Limits& limits) {
    const auto settled = [this] {
        return std::ranges::all_of(shards_,
                                   [](const auto& shard) { return shard->late || shard->givenUp || shard->idle(); });
    };
    std::optional<Clock::time_point> graceEnd;
    for (;;) {
        {
            std::unique_lock lock(core_->mutex);
            if (core_->shardFinished.wait_for(lock, kCheckInterval, settled)) return;
        }
        const std::int64_t oldest = nowNs() - nanoseconds(options_.databaseBudget);
        std::vector<std::pair<Shard*, std::int64_t>> overdue;  // collected first: relieve() adds shards
        for (const auto& shard : shards_) {
            const std::int64_t began = shard->callBeganNs();
            if (!shard->late && began != kNever && began < oldest) overdue.emplace_back(shard.get(), began);
        }
        for (const auto& [shard, began] : overdue) relieve(*shard, began, command, limits);
        if (limits.exceeded() == nullptr) continue;
        if (!graceEnd) graceEnd = Clock::now() + kGrace;
        if (Clock::now() < *graceEnd) continue;
        for (const auto& shard : shards_)
            if (!shard->idle()) giveUp(*shard);
        return;
    }
}

void Session::awaitAll(const Limits& limits) {
    const auto settled = [this] {
        return std::ranges::all_of(shards_, [](const auto& shard) { return shard->givenUp || shard->idle(); });
    };
    const Clock::time_point patienceEnd = Clock::now() + options_.databaseBudget;
    for (;;) {
        {
            std::unique_lock lock(core_->mutex);
            if (core_->shardFinished.wait_for(lock, kCheckInterval, settled)) return;
        }
        const bool exceeded = limits.exceeded() != nullptr;
        const bool impatient = Clock::now() >= patienceEnd;
        const std::int64_t oldest = nowNs() - nanoseconds(kGrace);
        for (const auto& shard : shards_) {
            const std::int64_t began = shard->callBeganNs();
            const bool hangs = !shard->idle() && began != kNever && began < oldest;
            if (hangs && (exceeded || (impatient && shard->late))) giveUp(*shard);
        }
    }
}

void Session::relieve(Shard& shard, std::int64_t callBeganNs, ShardCommand command, const Limits& limits) {
    const bool opening = command == ShardCommand::open;
    const Phase phase = opening ? Phase::open : Phase::start;
    DatabaseRecord& straggler = core_->records[shard.currentRecord()];
    if (shard.callBeganNs() != callBeganNs) return;  // it returned just now and is in another call
    // A thread that hangs while it enters the runtime has not even claimed its first database.
    if (!straggler.skip(opening ? State::opening : State::starting, engineStatus(code::kDatabaseBudget), phase) &&
        !(opening && straggler.skip(State::pending, engineStatus(code::kDatabaseBudget), phase)))
        return;
    shard.late = true;
    straggler.hanging = !opening;
    if (shards_.size() >= kMostShards) return;
    std::vector<std::size_t> remaining;
    for (const std::size_t index : shard.records()) {
        DatabaseRecord& record = core_->records[index];
        // The late thread keeps a handle of its own on what it had opened, until it closes all of them.
        if (record.claim(State::open, State::pending) || record.state.load() == State::pending)
            remaining.push_back(index);
    }
    if (remaining.empty()) return;
    auto relief = std::make_unique<Shard>(core_, static_cast<std::uint16_t>(shards_.size()), std::move(remaining));
    relief->post(ShardCommand::open, limits);
    if (!opening) relief->post(command, limits);
    shards_.push_back(std::move(relief));
}

void Session::giveUp(Shard& shard) {
    shard.givenUp = true;
    for (const std::size_t index : shard.records()) {
        DatabaseRecord& record = core_->records[index];
        if (record.shard != shard.index()) continue;  // relieved, or not yet anybody's
        // Between start and end Domino counts a database as in backup, also after the stop.
        for (const State state : {State::starting, State::started, State::stopping, State::stopped}) {
            if (record.skip(state, engineStatus(code::kDatabaseStuck), core_->phase.load())) record.hanging = true;
        }
        for (const State state : {State::opening, State::open})
            record.skip(state, engineStatus(code::kDatabaseNotReached), core_->phase.load());
    }
}

void Session::leaveOutUnfinished(Phase phase) {
    // The usual case must cost nothing, for it lies between the last start and the shadow.
    const auto finished = [](const auto& shard) { return shard->idle() && !shard->late && !shard->givenUp; };
    if (std::ranges::all_of(shards_, finished)) return;
    for (DatabaseRecord& record : core_->records) {
        if (phase == Phase::start && record.skip(State::starting, engineStatus(code::kDatabaseBudget), phase))
            record.hanging = true;
        if (phase == Phase::start) record.skip(State::open, engineStatus(code::kDatabaseNotReached), phase);
        record.skip(State::opening, engineStatus(code::kDatabaseBudget), phase);
        record.skip(State::pending, engineStatus(code::kDatabaseNotReached), phase);
    }
}

void Session::describeFailures() {
    std::vector<DatabaseFailure> described = engine::describeFailures(core_, kGrace);
    const std::lock_guard lock(mutex_);
    failures_ = std::move(described);
}

}  // namespace domino_vss::engine
