#include "engine/shard_work.h"

#include <new>
#include <string>
#include <utility>

#include "engine/delta_file.h"
#include "system/path.h"

namespace domino_vss::engine {

namespace {

constexpr std::memory_order kRelaxed = std::memory_order_relaxed;

}  // namespace

/// Publishes which call on which database runs, for the control thread's budget check.
class ShardWork::CallMark {
public:
    CallMark(ShardWork& work, const Owned& owned, std::int64_t since) : work_(work) {
        work_.current_.store(owned.index, kRelaxed);
        work_.callBegan_.store(since, std::memory_order_release);
    }
    CallMark(const CallMark&) = delete;
    CallMark& operator=(const CallMark&) = delete;
    ~CallMark() { work_.callBegan_.store(kNever, std::memory_order_release); }

private:
    ShardWork& work_;
};

ShardWork::ShardWork(SessionCore& core, std::uint16_t index, std::span<const std::size_t> recordIndexes,
                     std::atomic<std::int64_t>& callBegan, std::atomic<std::size_t>& current)
    : core_(core), index_(index), callBegan_(callBegan), current_(current) {
    databases_.reserve(recordIndexes.size());
    for (const std::size_t record : recordIndexes)
        databases_.push_back({&core.records[record], record, nullptr, false});
    if (!recordIndexes.empty()) current_.store(recordIndexes.front(), kRelaxed);
    callBegan_.store(nowNs(), std::memory_order_release);
    entered_ = core.source->enterThread(scope_);
    callBegan_.store(kNever, std::memory_order_release);
}

void ShardWork::execute(ShardCommand command, const Limits& limits) {
    relieved_ = false;
    switch (command) {
        case ShardCommand::open: open(limits); break;
        case ShardCommand::start: start(limits); break;
        case ShardCommand::captureAndStop: captureAndStop(limits); break;
        case ShardCommand::roll: roll(limits); break;
        case ShardCommand::stop: stop(); break;
        case ShardCommand::drain: drain(limits); break;
    }
}

void ShardWork::abort() noexcept {
    for (Owned& owned : databases_)
        if (owned.database) close(owned);
}

void ShardWork::giveUp() noexcept {
    const Phase phase = core_.phase;
    for (Owned& owned : databases_) {
        if (owned.record->shard != index_) continue;  // another thread's by now, or nobody's yet
        for (const State state :
             {State::opening, State::open, State::starting, State::started, State::stopping, State::stopped})
            owned.record->skip(state, engineStatus(code::kInternal), phase);
    }
    abort();
}

Failure ShardWork::failureInFlight() const noexcept {
    Failure failure = domino_vss::failureInFlight(core_.phase);
    try {
        if (failure.subject.empty() && !databases_.empty()) failure.subject = core_.records[current_].spec.path;
    } catch (const std::bad_alloc&) {
        // It is told without the name then.
    }
    return failure;
}

void ShardWork::open(const Limits& limits) {
    for (Owned& owned : databases_) {
        if (relieved_) return;
        DatabaseRecord& record = *owned.record;
        if (const char* reason = limits.exceeded()) {
            record.skip(State::pending, engineStatus(reason), Phase::open);
            continue;
        }
        if (!record.claim(State::pending, State::opening)) continue;
        openOne(owned);
        core_.done.fetch_add(1, kRelaxed);
    }
}

void ShardWork::openOne(Owned& owned) {
    DatabaseRecord& record = *owned.record;
    record.shard.store(index_, kRelaxed);
    const CallMark mark(*this, owned, nowNs());
    std::unique_ptr<Database> database;
    CallStatus status = entered_.ok() ? core_.source->open(record.spec, database) : entered_;
    LogInfo log;
    std::array<std::uint8_t, 8> replicaId{};
    if (status.ok()) {
        replicaId = database->replicaId();
        status = database->logInfo(log);
    }
    if (!status.ok()) {
        record.skip(State::opening, status, Phase::open);
        return;
    }
    if (!record.claim(State::opening, State::settling)) {
        relieved_ = true;  // left out meanwhile: it closes again
        return;
    }
    record.log = log;
    record.replicaId = replicaId;
    owned.database = std::move(database);
    record.state.store(State::open, std::memory_order_release);
}

bool ShardWork::startOne(Owned& owned) {
    DatabaseRecord& record = *owned.record;
    if (!owned.database || record.shard != index_ || !record.claim(State::open, State::starting)) return false;
    const std::int64_t called = nowNs();
    record.startCalledNs.store(called, kRelaxed);
    std::uint64_t sizeBytes = 0;
    CallStatus status;
    {
        const CallMark mark(*this, owned, called);
        status = owned.database->start(sizeBytes);
    }
    record.startReturnedNs.store(nowNs(), kRelaxed);
    if (!status.ok()) {
        record.skip(State::starting, status, Phase::start);
        return false;
    }
    owned.inBackup = true;
    if (!record.claim(State::starting, State::settling)) {
        relieved_ = true;
        close(owned);  // over its budget and left out: end the backup with abort at once
        return false;
    }
    record.startSizeBytes = sizeBytes;
    record.state.store(State::started, std::memory_order_release);
    return true;
}

void ShardWork::start(const Limits& limits) {
    for (Owned& owned : databases_) {
        if (relieved_) return;
        if (const char* reason = limits.exceeded()) {
            owned.record->skip(State::open, engineStatus(reason), Phase::start);
            continue;
        }
        startOne(owned);
        core_.done.fetch_add(1, kRelaxed);
    }
    noteStarted();
}

void ShardWork::noteStarted() {
    if (!entered_.ok()) return;  // outside of the runtime nothing may be asked
    const ServerTime now = core_.source->serverTime();
    const std::lock_guard lock(core_.mutex);
    if (now.epochMs > core_.afterLastStart.epochMs) core_.afterLastStart = now;
}

bool ShardWork::stopOne(Owned& owned) {
    DatabaseRecord& record = *owned.record;
    if (!owned.inBackup || !record.claim(State::started, State::stopping)) return false;
    const std::int64_t called = nowNs();
    record.stopCalledNs.store(called, kRelaxed);
    CallStatus status;
    {
        const CallMark mark(*this, owned, called);
        status = owned.database->stop();
    }
    record.stopReturnedNs.store(nowNs(), kRelaxed);
    if (!status.ok()) {
        close(owned);
        record.skip(State::stopping, status, Phase::stop);
        return false;
    }
    return record.claim(State::stopping, State::stopped);
}

void ShardWork::stop() {
    for (Owned& owned : databases_) {
        stopOne(owned);
        core_.done.fetch_add(1, kRelaxed);
    }
}

bool ShardWork::captureOne(Owned& owned, const Limits& limits) {
    DatabaseRecord& record = *owned.record;
    if (!owned.inBackup || record.state.load(std::memory_order_acquire) != State::started) return false;
    CallStatus status;
    {
        const CallMark mark(*this, owned, nowNs());
        status = core_.provider->captureFile(record.spec, *owned.database, record.startSizeBytes, limits);
    }
    if (status.ok()) return true;
    close(owned);
    record.skip(State::started, status, Phase::shadow);
    return false;
}

void ShardWork::captureAndStop(const Limits& limits) {
    for (Owned& owned : databases_) {
        if (limits.exceeded() != nullptr) return;  // the control thread aborts all
        if (captureOne(owned, limits)) stopOne(owned);
        core_.done.fetch_add(1, kRelaxed);
    }
}

void ShardWork::roll(const Limits& limits) {
    for (Owned& owned : databases_) {
        if (relieved_ || limits.exceeded() != nullptr) return;
        if (startOne(owned) && captureOne(owned, limits) && stopOne(owned)) drainOne(owned);
        core_.done.fetch_add(1, kRelaxed);
    }
    noteStarted();
}

void ShardWork::drain(const Limits& limits) {
    for (Owned& owned : databases_) {
        if (const char* reason = limits.exceeded()) {
            if (owned.inBackup && owned.record->skip(State::stopped, engineStatus(reason), Phase::drain)) close(owned);
            continue;
        }
        drainOne(owned);
        core_.done.fetch_add(1, kRelaxed);
    }
}

void ShardWork::drainOne(Owned& owned) {
    DatabaseRecord& record = *owned.record;
    if (!owned.inBackup || record.state.load(std::memory_order_acquire) != State::stopped) return;
    CallStatus status;
    {
        const CallMark mark(*this, owned, nowNs());
        DeltaFile delta(utf8Of(core_.deltaDirectory / (std::to_string(owned.index) + ".delta")));
        status = writeDelta(owned, delta);
        if (status.ok()) status = verifyIdentity(owned);
        if (status.ok()) status = owned.database->end(EndMode::complete);
        if (status.ok()) {
            delta.keep();
            owned.inBackup = false;
        }
    }
    close(owned);
    if (!status.ok()) {
        record.skip(State::stopped, status, Phase::drain);
        return;
    }
    record.claim(State::stopped, State::captured);
}

CallStatus ShardWork::writeDelta(Owned& owned, DeltaFile& file) {
    DatabaseRecord& record = *owned.record;
    CallStatus status = owned.database->changeInfoSize(record.announcedBytes);
    if (!status.ok()) return status;
    bool irregular = false;
    std::vector<std::uint32_t> pieces;
    for (;;) {
        std::uint32_t filled = 0;
        status = owned.database->nextChangeInfo(piece_, filled);
        if (!status.ok()) return status;
        if (filled == 0) break;
        if (pieces.empty()) status = file.open();
        if (status.ok()) status = file.append(std::span<const char>(piece_).first(filled));
        if (!status.ok()) return status;
        irregular = irregular || (!pieces.empty() && pieces.back() != kPieceBytes);
        pieces.push_back(filled);
        record.deltaBytes += filled;
    }
    if (pieces.empty()) return {};
    if (irregular) record.irregularPieces = std::move(pieces);
    return file.finish();
}

CallStatus ShardWork::verifyIdentity(Owned& owned) {
    LogInfo after;
    const CallStatus status = owned.database->logInfo(after);
    if (!status.ok()) return status;
    const LogInfo& before = owned.record->log;
    if (after.logged != before.logged || after.dbiid != before.dbiid || after.logId != before.logId)
        return engineStatus(code::kDatabaseReplaced);
    return {};
}

void ShardWork::close(Owned& owned) noexcept {
    const CallMark mark(*this, owned, nowNs());
    if (owned.inBackup && !endsWithAbort(*owned.database)) owned.record->abortFailed = true;
    owned.inBackup = false;
    owned.database.reset();
}

bool ShardWork::endsWithAbort(Database& database) noexcept {
    try {
        return database.end(EndMode::abort).ok();
    } catch (...) {
        return false;
    }
}

}  // namespace domino_vss::engine
