#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "engine/session_core.h"

namespace domino_vss::engine {

class DeltaFile;

enum class ShardCommand : std::uint8_t {
    open,
    readLogPositions,
    start,
    captureAndStop,
    roll,
    stop,
    drain,
};

/// The call in progress on a shard's thread; the crew checks its duration. Shared, because the thread may outlive its
/// shard.
struct PresentCall {
    std::atomic<std::int64_t> began = kNever;  ///< kNever between calls
    std::atomic<std::size_t> record = 0;
    std::atomic<Operation> operation = Operation::enterThread;
};

/// The work of a shard's thread. Lives on that thread's stack, so every database handle is destroyed on the thread that
/// created it.
class ShardWork {
public:
    /// Enters the runtime; the destructor leaves it.
    ShardWork(SessionCore& core, std::uint16_t index, std::span<const std::size_t> recordIndexes, PresentCall& present);
    void execute(ShardCommand command, const Limits& limits);
    /// Closes all open databases, with abort if they are in backup mode.
    void abort() noexcept;
    /// After a command threw: skips and closes all databases of this thread.
    void giveUp() noexcept;
    /// Call in a catch clause: converts the current exception, with the database it concerns.
    [[nodiscard]] Failure failureInFlight() const noexcept;

private:
    /// The thread's own data about one of its databases.
    struct Owned {
        DatabaseRecord* record;
        std::size_t index;
        std::unique_ptr<Database> database;
        /// This thread put it into backup mode. While a thread is late, another thread may have a handle of the same
        /// database.
        bool inBackup = false;
    };
    /// Results of a drain. Copied to the record only at the end, because the thread may have lost the record by then.
    struct Drained {
        std::uint64_t announcedBytes = 0;
        std::uint64_t deltaBytes = 0;
        std::vector<std::uint32_t> irregularPieces;
    };
    class CallMark;
    class CopyMark;

    void open(const Limits& limits);
    void openOne(Owned& owned);
    void readLogPositions(const Limits& limits);
    /// Reads the first log extent that the backup needs once more, because the log has moved on since the database was
    /// opened. Done before the start, so the result can be too early but never too late.
    void readLogPosition(Owned& owned);
    /// Puts one database into backup mode. Returns true if this succeeded and the database still belongs to this
    /// thread.
    bool startOne(Owned& owned);
    void start(const Limits& limits);
    void noteStarted();
    /// A call returned over its budget, and its database was skipped meanwhile: ends the backup with abort.
    void lose(Owned& owned);
    /// Takes one database out of backup mode. Ignores the limits: databases must come out in any case.
    bool stopOne(Owned& owned);
    void stop();
    bool captureOne(Owned& owned, const Limits& limits);
    void captureAndStop(const Limits& limits);
    void roll(const Limits& limits);
    void drain(const Limits& limits);
    void drainOne(Owned& owned);
    CallStatus drainInto(Owned& owned, DeltaFile& file, Drained& drained);
    CallStatus writeDelta(Owned& owned, DeltaFile& file, Drained& drained, CallMark& mark);
    /// The DBIID names the instance in the transaction log. A different one after the window means that the file at
    /// this path is not the one that was put into backup mode.
    CallStatus verifyIdentity(Owned& owned);
    /// Ends an unfinished backup with abort and records a failure of that call. These calls can hang like any other.
    void close(Owned& owned) noexcept;
    static bool endsWithAbort(Database& database) noexcept;

    SessionCore& core_;
    std::uint16_t index_;
    PresentCall& present_;
    // Order matters: databases are destroyed before the thread leaves the runtime.
    std::unique_ptr<ThreadScope> scope_;
    CallStatus entered_;
    /// The busiest databases are last: they start last, and commands that take databases out run backwards.
    std::vector<Owned> databases_;
    std::array<char, kPieceBytes> piece_{};
    bool relieved_ = false;  // this thread was late and lost its databases; a relief shard does the rest of the command
};

}  // namespace domino_vss::engine
