#include "engine/shard.h"

#include <algorithm>
#include <array>
#include <new>
#include <string>
#include <utility>

#include "engine/delta_file.h"
#include "system/path.h"

namespace domino_vss::engine {

namespace {

constexpr std::memory_order kRelaxed = std::memory_order_relaxed;

/// How long a thread may take to leave the runtime, which may hang as well.
constexpr std::chrono::seconds kLeavePatience{2};

/// The shard thread's own view of one of its databases.
struct OwnedDatabase {
    DatabaseRecord* record;
    std::size_t index;
    std::unique_ptr<Database> database;
    /// This thread put it into backup mode. While a thread is late, another may hold a handle of the same database.
    bool inBackup = false;
};

}  // namespace

struct Shard::Shared {
    Shared(std::shared_ptr<SessionCore> sessionCore, std::uint16_t shardIndex, std::vector<std::size_t> records)
        : core(std::move(sessionCore)), index(shardIndex), recordIndexes(std::move(records)) {}

    const std::shared_ptr<SessionCore> core;
    const std::uint16_t index;
    const std::vector<std::size_t> recordIndexes;

    std::mutex mutex;
    std::condition_variable messagePosted;
    std::deque<Message> messages;  // guarded by mutex
    bool finishing = false;        // guarded by mutex
    std::atomic<std::uint32_t> unfinished = 0;
    std::atomic<bool> failed = false;
    std::optional<Failure> failure;  // written before `failed`
    std::atomic<std::int64_t> callBegan = kNever;
    std::atomic<std::size_t> current = 0;

    [[nodiscard]] std::optional<Message> next() {
        std::unique_lock lock(mutex);
        messagePosted.wait(lock, [this] { return finishing || !messages.empty(); });
        if (messages.empty()) return std::nullopt;
        std::optional<Message> message = std::move(messages.front());
        messages.pop_front();
        return message;
    }
    void finished() noexcept {
        {
            const std::lock_guard lock(core->mutex);
            unfinished.fetch_sub(1, std::memory_order_acq_rel);
        }
        core->shardFinished.notify_one();
    }
    void fail(Failure&& thrown) noexcept {
        {
            const std::lock_guard lock(core->mutex);
            if (!failed) failure.emplace(std::move(thrown));
            callBegan.store(kNever, std::memory_order_release);
            failed.store(true, std::memory_order_release);
        }
        core->shardFinished.notify_one();
    }
};

namespace {

/// What the thread does; lives on the thread's stack, so every database handle is destroyed on the thread that made it.
class ShardBody {
public:
    ShardBody(SessionCore& core, std::uint16_t index, std::span<const std::size_t> recordIndexes,
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

    void execute(ShardCommand command, const Limits& limits) {
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

    /// Closes what is open, with abort where it is in backup mode.
    void abort() noexcept {
        for (OwnedDatabase& owned : databases_)
            if (owned.database) close(owned);
    }

    /// For a command that was broken off: no database of this thread goes on.
    void giveUp() noexcept {
        const Phase phase = core_.phase;
        for (OwnedDatabase& owned : databases_) {
            if (owned.record->shard != index_) continue;  // another thread's by now, or nobody's yet
            for (const State state :
                 {State::opening, State::open, State::starting, State::started, State::stopping, State::stopped})
                owned.record->skip(state, engineStatus(code::kInternal), phase);
        }
        abort();
    }

    /// In a catch clause: what was thrown, and at which database.
    [[nodiscard]] Failure failureInFlight() const noexcept {
        Failure failure = domino_vss::failureInFlight(core_.phase);
        try {
            if (failure.subject.empty() && !databases_.empty()) failure.subject = core_.records[current_].spec.path;
        } catch (const std::bad_alloc&) {
            // It is told without the name then.
        }
        return failure;
    }

private:
    /// Publishes which call on which database runs, for the control thread's budget check.
    class CallMark {
    public:
        CallMark(ShardBody& body, const OwnedDatabase& owned, std::int64_t since) : body_(body) {
            body_.current_.store(owned.index, kRelaxed);
            body_.callBegan_.store(since, std::memory_order_release);
        }
        CallMark(const CallMark&) = delete;
        CallMark& operator=(const CallMark&) = delete;
        ~CallMark() { body_.callBegan_.store(kNever, std::memory_order_release); }

    private:
        ShardBody& body_;
    };

    void open(const Limits& limits) {
        for (OwnedDatabase& owned : databases_) {
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

    void openOne(OwnedDatabase& owned) {
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

    /// Puts one database into backup mode. Returns whether it is in.
    bool startOne(OwnedDatabase& owned) {
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

    void start(const Limits& limits) {
        for (OwnedDatabase& owned : databases_) {
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

    void noteStarted() {
        if (!entered_.ok()) return;  // outside of the runtime nothing may be asked
        const ServerTime now = core_.source->serverTime();
        const std::lock_guard lock(core_.mutex);
        if (now.epochMs > core_.afterLastStart.epochMs) core_.afterLastStart = now;
    }

    /// Takes one database out of backup mode. The limits do not apply: databases come out whatever happens.
    bool stopOne(OwnedDatabase& owned) {
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

    void stop() {
        for (OwnedDatabase& owned : databases_) {
            stopOne(owned);
            core_.done.fetch_add(1, kRelaxed);
        }
    }

    bool captureOne(OwnedDatabase& owned, const Limits& limits) {
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

    void captureAndStop(const Limits& limits) {
        for (OwnedDatabase& owned : databases_) {
            if (limits.exceeded() != nullptr) return;  // the control thread aborts all
            if (captureOne(owned, limits)) stopOne(owned);
            core_.done.fetch_add(1, kRelaxed);
        }
    }

    void roll(const Limits& limits) {
        for (OwnedDatabase& owned : databases_) {
            if (relieved_ || limits.exceeded() != nullptr) return;
            if (startOne(owned) && captureOne(owned, limits) && stopOne(owned)) drainOne(owned);
            core_.done.fetch_add(1, kRelaxed);
        }
        noteStarted();
    }

    void drain(const Limits& limits) {
        for (OwnedDatabase& owned : databases_) {
            if (const char* reason = limits.exceeded()) {
                if (owned.inBackup && owned.record->skip(State::stopped, engineStatus(reason), Phase::drain))
                    close(owned);
                continue;
            }
            drainOne(owned);
            core_.done.fetch_add(1, kRelaxed);
        }
    }

    void drainOne(OwnedDatabase& owned) {
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

    CallStatus writeDelta(OwnedDatabase& owned, DeltaFile& file) {
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

    /// The DBIID names the instance in the transaction log. Another one after the window means that the file under the
    /// name is not the one that was put into backup mode.
    CallStatus verifyIdentity(OwnedDatabase& owned) {
        LogInfo after;
        const CallStatus status = owned.database->logInfo(after);
        if (!status.ok()) return status;
        const LogInfo& before = owned.record->log;
        if (after.logged != before.logged || after.dbiid != before.dbiid || after.logId != before.logId)
            return engineStatus(code::kDatabaseReplaced);
        return {};
    }

    /// Ends the backup with abort where it has not ended, and says so when that is refused. These calls hang like any
    /// other.
    void close(OwnedDatabase& owned) noexcept {
        const CallMark mark(*this, owned, nowNs());
        if (owned.inBackup && !endsWithAbort(*owned.database)) owned.record->abortFailed = true;
        owned.inBackup = false;
        owned.database.reset();
    }

    static bool endsWithAbort(Database& database) noexcept {
        try {
            return database.end(EndMode::abort).ok();
        } catch (...) {
            return false;
        }
    }

    SessionCore& core_;
    std::uint16_t index_;
    std::atomic<std::int64_t>& callBegan_;
    std::atomic<std::size_t>& current_;
    // Order matters: databases are destroyed before the thread leaves the runtime.
    std::unique_ptr<ThreadScope> scope_;
    CallStatus entered_;
    std::vector<OwnedDatabase> databases_;
    std::array<char, kPieceBytes> piece_{};
    bool relieved_ = false;  // this thread was late and has lost its claim: the rest of the command is done elsewhere
};

}  // namespace

Shard::Shard(std::shared_ptr<SessionCore> core, std::uint16_t index, std::vector<std::size_t> records)
    : shared_(std::make_shared<Shared>(std::move(core), index, std::move(records))),
      thread_([shared = shared_] { serve(*shared); },
              [shared = shared_](Failure&& failure) { shared->fail(std::move(failure)); }) {}

Shard::~Shard() {
    const bool hanging = givenUp && !idle();
    finish();
    static_cast<void>(thread_.endsWithin(hanging ? std::chrono::seconds(0) : kLeavePatience));
}

void Shard::post(ShardCommand command, const Limits& limits) {
    {
        const std::lock_guard lock(shared_->mutex);
        shared_->messages.push_back({command, limits});
        shared_->unfinished.fetch_add(1, std::memory_order_acq_rel);
    }
    shared_->messagePosted.notify_one();
}

void Shard::finish() noexcept {
    {
        const std::lock_guard lock(shared_->mutex);
        if (shared_->finishing) return;
        shared_->finishing = true;
        shared_->unfinished.fetch_add(1, std::memory_order_acq_rel);
    }
    shared_->messagePosted.notify_one();
}

bool Shard::idle() const noexcept {
    return shared_->failed.load(std::memory_order_acquire) || shared_->unfinished.load(std::memory_order_acquire) == 0;
}

const std::optional<Failure>& Shard::failure() const noexcept {
    static const std::optional<Failure> kNone;
    return shared_->failed.load(std::memory_order_acquire) ? shared_->failure : kNone;
}

std::uint16_t Shard::index() const noexcept {
    return shared_->index;
}

std::int64_t Shard::callBeganNs() const noexcept {
    return shared_->callBegan.load(std::memory_order_acquire);
}

std::size_t Shard::currentRecord() const noexcept {
    return shared_->current.load(kRelaxed);
}

const std::vector<std::size_t>& Shard::records() const noexcept {
    return shared_->recordIndexes;
}

void Shard::serve(Shared& shared) {
    ShardBody body(*shared.core, shared.index, shared.recordIndexes, shared.callBegan, shared.current);
    while (const std::optional<Message> message = shared.next()) {
        try {
            body.execute(message->command, message->limits);
        } catch (...) {
            Failure failure = body.failureInFlight();
            body.giveUp();
            return shared.fail(std::move(failure));  // before the thread leaves the runtime, which may hang
        }
        shared.finished();
    }
    body.abort();
    shared.finished();
}

}  // namespace domino_vss::engine
