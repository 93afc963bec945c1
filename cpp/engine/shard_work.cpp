#include "engine/shard_work.h"

#include <new>
#include <string>
#include <utility>

#include "engine/delta_file.h"
#include "system/path.h"

namespace domino_vss::engine {

namespace {

constexpr std::memory_order kRelaxed = std::memory_order_relaxed;

bool isSameInstance(const LogInfo& one, const LogInfo& other) noexcept {
    return one.logged == other.logged && one.dbiid == other.dbiid && one.logId == other.logId;
}

}  // namespace

/// Publishes the call in progress and its database, for the control thread's budget check.
class ShardWork::CallMark {
public:
    CallMark(ShardWork& work, const Owned& owned, Operation operation, std::int64_t since) : present_(work.present_) {
        present_.record.store(owned.index, kRelaxed);
        present_.operation.store(operation, kRelaxed);
        present_.began.store(since, std::memory_order_release);
    }
    CallMark(ShardWork& work, const Owned& owned, Operation operation) : CallMark(work, owned, operation, nowNs()) {}
    CallMark(const CallMark&) = delete;
    CallMark& operator=(const CallMark&) = delete;
    ~CallMark() { present_.began.store(kNever, std::memory_order_release); }

    /// The call has returned; another call on the same database follows.
    void next(Operation operation) {
        present_.operation.store(operation, kRelaxed);
        present_.began.store(nowNs(), std::memory_order_release);
    }

private:
    PresentCall& present_;
};

/// A copy may take long, but must not stop making progress: each high-water mark restarts the budget.
class ShardWork::CopyMark final : public HighWaterMarks {
public:
    CopyMark(ShardWork& work, const Owned& owned) : mark_(work, owned, Operation::copy), database_(*owned.database) {}

    CallStatus setHighWaterMark(std::uint64_t copiedBytes) override {
        mark_.next(Operation::setHighWaterMark);
        const CallStatus status = database_.setHighWaterMark(copiedBytes);
        mark_.next(Operation::copy);
        return status;
    }

private:
    CallMark mark_;
    Database& database_;
};

ShardWork::ShardWork(SessionCore& core, std::uint16_t index, std::span<const std::size_t> recordIndexes,
                     PresentCall& present)
    : core_(core), index_(index), present_(present) {
    databases_.reserve(recordIndexes.size());
    for (const std::size_t record : recordIndexes)
        databases_.push_back({&core.records[record], record, nullptr, false});
    const CallMark mark(*this, databases_.front(), Operation::enterThread);
    entered_ = core.source->enterThread(scope_);
}

void ShardWork::execute(ShardCommand command, const Limits& limits) {
    relieved_ = false;
    switch (command) {
        case ShardCommand::open: open(limits); break;
        case ShardCommand::readLogPositions: readLogPositions(limits); break;
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
        if (owned.record->shard != index_) continue;  // taken over by another thread, or not opened by any yet
        for (const State state :
             {State::opening, State::open, State::starting, State::started, State::stopping, State::stopped})
            owned.record->skip(state, engineStatus(code::kInternal), phase);
    }
    abort();
}

Failure ShardWork::failureInFlight() const noexcept {
    Failure failure = domino_vss::failureInFlight(core_.phase);
    try {
        if (failure.subject.empty() && !databases_.empty()) failure.subject = core_.records[present_.record].spec.path;
    } catch (const std::bad_alloc&) {
        // Reported without the name of the database.
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
    CallMark mark(*this, owned, Operation::open);
    std::unique_ptr<Database> database;
    CallStatus status = entered_.ok() ? core_.source->open(record.spec, database) : entered_;
    LogInfo log;
    std::array<std::uint8_t, 8> replicaId{};
    if (status.ok()) {
        mark.next(Operation::replicaId);
        replicaId = database->replicaId();
        mark.next(Operation::logInfo);
        status = database->logInfo(log);
    }
    // The next backup compares these to decide whether the database has changed.
    ModifiedTimes modified{};
    if (status.ok()) {
        mark.next(Operation::modifiedTimes);
        modified = database->modifiedTimes();
    }
    mark.next(Operation::close);
    if (!status.ok()) {
        record.skip(State::opening, status, Phase::open);
        return;
    }
    if (!record.claim(State::opening, State::settling)) {
        relieved_ = true;  // skipped meanwhile; the destructor closes it
        return;
    }
    record.log = log;
    record.modified = modified;
    record.replicaId = replicaId;
    owned.database = std::move(database);
    record.state.store(State::open, std::memory_order_release);
}

void ShardWork::readLogPositions(const Limits& limits) {
    for (Owned& owned : databases_) {
        if (relieved_ || limits.exceeded() != nullptr) return;  // the positions read at the opening suffice
        readLogPosition(owned);
        core_.done.fetch_add(1, kRelaxed);
    }
}

void ShardWork::readLogPosition(Owned& owned) {
    DatabaseRecord& record = *owned.record;
    if (!owned.database || record.shard != index_ || !record.claim(State::open, State::opening)) return;
    LogInfo now;
    CallStatus status;
    if (record.log.logged) {
        const CallMark mark(*this, owned, Operation::logInfo);
        status = owned.database->logInfo(now);
    }
    if (!record.claim(State::opening, State::settling)) {
        lose(owned);
        return;
    }
    // If this fails, the earlier position stays valid. A replaced instance is detected after the window, by comparing
    // with the log information read at the opening.
    if (status.ok() && isSameInstance(now, record.log)) record.log.logExtent = now.logExtent;
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
        const CallMark mark(*this, owned, Operation::start, called);
        status = owned.database->start(sizeBytes);
    }
    record.startReturnedNs.store(nowNs(), kRelaxed);
    if (!status.ok()) {
        record.skip(State::starting, status, Phase::start);
        return false;
    }
    owned.inBackup = true;
    if (!record.claim(State::starting, State::settling)) {
        lose(owned);
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
    if (!entered_.ok() || relieved_) return;  // no API call outside the runtime
    const CallMark mark(*this, databases_.back(), Operation::serverTime);
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
        const CallMark mark(*this, owned, Operation::stop, called);
        status = owned.database->stop();
    }
    record.stopReturnedNs.store(nowNs(), kRelaxed);
    if (!status.ok()) {
        close(owned);
        record.skip(State::stopping, status, Phase::stop);
        return false;
    }
    if (record.claim(State::stopping, State::stopped)) return true;
    lose(owned);
    return false;
}

void ShardWork::lose(Owned& owned) {
    relieved_ = true;
    close(owned);
}

void ShardWork::stop() {
    for (auto owned = databases_.rbegin(); owned != databases_.rend(); ++owned) {
        stopOne(*owned);
        core_.done.fetch_add(1, kRelaxed);
    }
}

bool ShardWork::captureOne(Owned& owned, const Limits& limits) {
    DatabaseRecord& record = *owned.record;
    if (!owned.inBackup || record.state.load(std::memory_order_acquire) != State::started) return false;
    CallStatus status;
    {
        CopyMark marks(*this, owned);
        status = core_.provider->captureFile(record.spec, marks, record.startSizeBytes, limits);
    }
    if (record.state.load(std::memory_order_acquire) != State::started) {
        lose(owned);
        return false;
    }
    if (status.ok()) return true;
    close(owned);
    record.skip(State::started, status, Phase::shadow);
    return false;
}

void ShardWork::captureAndStop(const Limits& limits) {
    for (auto owned = databases_.rbegin(); owned != databases_.rend(); ++owned) {
        if (relieved_ || limits.exceeded() != nullptr) return;  // the control thread aborts all databases
        if (captureOne(*owned, limits)) stopOne(*owned);
        core_.done.fetch_add(1, kRelaxed);
    }
}

void ShardWork::roll(const Limits& limits) {
    for (Owned& owned : databases_) {
        if (relieved_ || limits.exceeded() != nullptr) return;
        readLogPosition(owned);  // this late, because the last database may start hours after the first
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
    DeltaFile delta(utf8Of(deltaFileOf(core_.deltaDirectory, owned.index)));
    Drained drained;
    const CallStatus status = drainInto(owned, delta, drained);
    if (!status.ok()) {
        close(owned);
        record.skip(State::stopped, status, Phase::drain);
    } else if (record.claim(State::stopped, State::settling)) {
        delta.keep();
        record.announcedBytes = drained.announcedBytes;
        record.deltaBytes = drained.deltaBytes;
        record.irregularPieces = std::move(drained.irregularPieces);
        record.state.store(State::captured, std::memory_order_release);
        close(owned);
    } else {
        lose(owned);
    }
}

CallStatus ShardWork::drainInto(Owned& owned, DeltaFile& file, Drained& drained) {
    CallMark mark(*this, owned, Operation::changeInfoSize);
    CallStatus status = owned.database->changeInfoSize(drained.announcedBytes);
    if (status.ok()) status = writeDelta(owned, file, drained, mark);
    if (!status.ok()) return status;
    mark.next(Operation::logInfo);
    status = verifyIdentity(owned);
    // If the database was skipped meanwhile, its delta is discarded, so its backup must not end as a success.
    if (!status.ok() || owned.record->state.load(std::memory_order_acquire) != State::stopped) return status;
    mark.next(Operation::end);
    status = owned.database->end(EndMode::complete);
    if (status.ok()) owned.inBackup = false;
    return status;
}

CallStatus ShardWork::writeDelta(Owned& owned, DeltaFile& file, Drained& drained, CallMark& mark) {
    bool irregular = false;
    std::vector<std::uint32_t> pieces;
    for (;;) {
        std::uint32_t filled = 0;
        mark.next(Operation::nextChangeInfo);
        CallStatus status = owned.database->nextChangeInfo(piece_, filled);
        if (!status.ok()) return status;
        if (filled == 0) break;
        mark.next(Operation::copy);
        if (pieces.empty()) status = file.open();
        if (status.ok()) status = file.append(std::span<const char>(piece_).first(filled));
        if (!status.ok()) return status;
        irregular = irregular || (!pieces.empty() && pieces.back() != kPieceBytes);
        pieces.push_back(filled);
        drained.deltaBytes += filled;
    }
    if (pieces.empty()) return {};
    if (irregular) drained.irregularPieces = std::move(pieces);
    return file.finish();
}

CallStatus ShardWork::verifyIdentity(Owned& owned) {
    LogInfo after;
    const CallStatus status = owned.database->logInfo(after);
    if (!status.ok()) return status;
    return isSameInstance(after, owned.record->log) ? CallStatus{} : engineStatus(code::kDatabaseReplaced);
}

void ShardWork::close(Owned& owned) noexcept {
    CallMark mark(*this, owned, owned.inBackup ? Operation::end : Operation::close);
    if (owned.inBackup) {
        // Until this call returns, nothing else records that a skipped database may still be in backup mode.
        owned.record->hanging = true;
        if (!endsWithAbort(*owned.database)) owned.record->abortFailed = true;
        owned.record->hanging = false;
    }
    owned.inBackup = false;
    mark.next(Operation::close);
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
