#include "engine/shard_crew.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "engine/balance.h"

namespace domino_vss::engine {

namespace {

using std::chrono::milliseconds;

/// How long running calls are still waited for after the limits are exceeded.
constexpr milliseconds kGrace{2'000};
/// How often budgets and limits are checked while shards work.
constexpr milliseconds kCheckInterval{20};
/// How long all threads together may take to leave the runtime.
constexpr milliseconds kLeavePatience{2'000};
/// The maximum number of threads. If the server does not answer at all, each relief shard would hang too.
constexpr std::size_t kMostShards = 128;

std::int64_t nanoseconds(milliseconds time) {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(time).count();
}

/// The database has reached a final state.
bool isOver(State state) noexcept {
    return state == State::captured || state == State::skipped;
}

/// Commands before any database is in backup mode.
bool isOfOpening(ShardCommand command) noexcept {
    return command == ShardCommand::open || command == ShardCommand::readLogPositions;
}

/// During these commands, a database whose call exceeds the budget is skipped and no longer waited for.
bool mayLeaveOut(ShardCommand command) noexcept {
    return isOfOpening(command) || command == ShardCommand::start || command == ShardCommand::roll;
}

}  // namespace

ShardCrew::ShardCrew(std::shared_ptr<SessionCore> core, std::uint16_t shards, milliseconds databaseBudget)
    : core_(std::move(core)), size_(shards), databaseBudget_(databaseBudget) {}

void ShardCrew::run(ShardCommand command, const Limits& limits) {
    if (command == ShardCommand::open) recruit();
    for (const auto& shard : shards_) {
        if (shard->idle()) shard->late = false;  // it has caught up
        shard->post(command, limits);
    }
    if (mayLeaveOut(command)) {
        awaitRelieving(command, limits);
        requireWorkingShards();
        leaveOutUnfinished(isOfOpening(command) ? Phase::open : Phase::start);
    } else {
        awaitAll(limits);
        requireWorkingShards();
    }
}

void ShardCrew::recruit() {
    const std::size_t count = std::min<std::size_t>(size_, core_->records.size());
    std::vector<Expected> expected;
    for (const DatabaseRecord& record : core_->records) expected.push_back({record.spec.costUs, record.spec.activity});
    for (auto& records : spreadOverShards(expected, count))
        shards_.push_back(
            std::make_unique<Shard>(core_, static_cast<std::uint16_t>(shards_.size()), std::move(records)));
}

void ShardCrew::release() {
    if (shards_.empty()) return;
    const Limits grace{{}, Clock::now() + kGrace};
    for (const auto& shard : shards_) shard->finish();
    awaitAll(grace);
    for (const auto& shard : shards_) shard->leaveBy = Clock::now() + kLeavePatience;
    for (std::size_t i = 0; i < shards_.size(); ++i) {
        if (!shards_[i]->idle()) continue;
        // Calls that hung there have returned, and their backups were ended.
        for (const std::size_t index : shards_[i]->records())
            if (core_->records[index].shard == i) core_->records[index].hanging = false;
    }
    shards_.clear();
    for (DatabaseRecord& record : core_->records) {
        for (const State state : {State::pending, State::open, State::started, State::stopped})
            record.skip(state, engineStatus(code::kDatabaseNotReached), core_->phase.load());
    }
}

void ShardCrew::requireWorkingShards() const {
    for (const auto& shard : shards_)
        if (const std::optional<Failure>& failure = shard->failure()) throw Failure(*failure);
}

void ShardCrew::awaitRelieving(ShardCommand command, const Limits& limits) {
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
        const std::int64_t oldest = nowNs() - nanoseconds(databaseBudget_);
        std::vector<std::pair<Shard*, std::int64_t>> overdue;  // collected first, because relieve() adds shards
        for (const auto& shard : shards_) {
            const std::int64_t began = shard->present().began;
            if (!shard->late && !shard->givenUp && began != kNever && began < oldest)
                overdue.emplace_back(shard.get(), began);
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

void ShardCrew::awaitAll(const Limits& limits) {
    const auto settled = [this] {
        return std::ranges::all_of(shards_, [](const auto& shard) { return shard->givenUp || shard->idle(); });
    };
    const Clock::time_point patienceEnd = Clock::now() + databaseBudget_;
    for (;;) {
        {
            std::unique_lock lock(core_->mutex);
            if (core_->shardFinished.wait_for(lock, kCheckInterval, settled)) return;
        }
        const bool exceeded = limits.exceeded() != nullptr;
        const bool impatient = Clock::now() >= patienceEnd;
        const milliseconds patience = exceeded ? std::min(kGrace, databaseBudget_) : databaseBudget_;
        for (const auto& shard : shards_) {
            const std::int64_t began = shard->present().began;
            // The hanging database of a late shard is already skipped. Its thread may hold others in backup mode and
            // can still take them out if it returns soon.
            const milliseconds own = shard->late && !exceeded ? std::max(kGrace, databaseBudget_) : patience;
            const bool hangs =
                !shard->idle() && !shard->givenUp && began != kNever && began < nowNs() - nanoseconds(own);
            if (hangs && (exceeded || impatient || !shard->late)) giveUp(*shard);
        }
    }
}

void ShardCrew::relieve(Shard& shard, std::int64_t callBeganNs, ShardCommand command, const Limits& limits) {
    const bool opening = isOfOpening(command);  // which also reads the log position
    DatabaseRecord& straggler = core_->records[shard.present().record];
    const Operation operation = shard.present().operation;
    if (shard.present().began != callBeganNs) return;  // it has just returned and is in another call
    const bool over = leaveOut(straggler, operation, command) || isOver(straggler.state);
    if (!over) {
        // The database is in backup mode, and others of the same thread may be. Only that thread can take them out.
        if (command == ShardCommand::start) giveUp(shard);
        return;
    }
    shard.late = true;
    if (shards_.size() >= kMostShards) return;
    std::vector<std::size_t> remaining;
    for (const std::size_t index : shard.records()) {
        DatabaseRecord& record = core_->records[index];
        // The late thread keeps its own handles of the databases it opened until it closes all of them.
        if (record.claim(State::open, State::pending) || record.state.load() == State::pending)
            remaining.push_back(index);
    }
    if (remaining.empty()) return;
    auto relief = std::make_unique<Shard>(core_, static_cast<std::uint16_t>(shards_.size()), std::move(remaining));
    relief->post(ShardCommand::open, limits);
    if (!opening) relief->post(command, limits);
    shards_.push_back(std::move(relief));
}

bool ShardCrew::leaveOut(DatabaseRecord& record, Operation operation, ShardCommand command) {
    const CallStatus reason = budgetStatus(operation);
    switch (command) {
        case ShardCommand::open:
        case ShardCommand::readLogPositions:
            // A thread that hangs while entering the runtime has not claimed its first database yet.
            return record.skip(State::opening, reason, Phase::open) || record.skip(State::pending, reason, Phase::open);
        case ShardCommand::start: return leaveOutInBackup(record, State::starting, reason, Phase::start);
        default:
            return record.skip(State::opening, reason, Phase::open) ||
                   leaveOutInBackup(record, State::starting, reason, Phase::start) ||
                   leaveOutInBackup(record, State::started, reason, Phase::shadow) ||
                   leaveOutInBackup(record, State::stopping, reason, Phase::stop) ||
                   leaveOutInBackup(record, State::stopped, reason, Phase::drain);
    }
}

bool ShardCrew::leaveOutInBackup(DatabaseRecord& record, State state, const CallStatus& reason, Phase phase) {
    if (!record.skip(state, reason, phase)) return false;
    record.hanging = true;
    return true;
}

void ShardCrew::giveUp(Shard& shard) {
    shard.givenUp = true;
    const Phase phase = core_->phase;
    const Operation operation = shard.present().operation;
    DatabaseRecord& straggler = core_->records[shard.present().record];
    const std::int64_t began = shard.present().began;
    const bool isOverBudget = began != kNever && began < nowNs() - nanoseconds(databaseBudget_);
    if (isOverBudget && straggler.shard == shard.index() && operation != Operation::serverTime)
        static_cast<void>(leaveOut(straggler, operation, ShardCommand::roll));
    for (const std::size_t index : shard.records()) {
        DatabaseRecord& record = core_->records[index];
        if (record.shard != shard.index()) continue;  // relieved, or not opened by any thread yet
        // Domino considers a database in backup from start to end, even after stop. Handles and contexts belong to the
        // hanging thread, so no other thread can take these databases out.
        const CallStatus reason = {code::kDatabaseStuck, budgetStatus(operation).operation, Domain::engine, 0};
        for (const State state : {State::starting, State::started, State::stopping, State::stopped})
            static_cast<void>(leaveOutInBackup(record, state, reason, phase));
        for (const State state : {State::opening, State::open})
            record.skip(state, engineStatus(code::kDatabaseNotReached), phase);
    }
}

CallStatus ShardCrew::budgetStatus(Operation operation) const noexcept {
    return {code::kDatabaseBudget, core_->source->nameOf(operation), Domain::engine, 0};
}

void ShardCrew::leaveOutUnfinished(Phase phase) {
    // The usual case must be cheap: this runs between the last start and the shadow.
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

}  // namespace domino_vss::engine
