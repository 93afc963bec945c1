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

/// Which call of a shard's thread is under way, for the crew, which watches its time. Shared: the thread may outlive
/// its shard.
struct PresentCall {
    std::atomic<std::int64_t> began = kNever;  ///< kNever between calls
    std::atomic<std::size_t> record = 0;
    std::atomic<Operation> operation = Operation::enterThread;
};

/// What the thread of a shard does with its databases. Lives on the stack of that thread, so every database handle is
/// destroyed on the thread that made it.
class ShardWork {
public:
    /// Enters the runtime; the destructor leaves it.
    ShardWork(SessionCore& core, std::uint16_t index, std::span<const std::size_t> recordIndexes, PresentCall& present);
    void execute(ShardCommand command, const Limits& limits);
    /// Closes what is open, with abort where it is in backup mode.
    void abort() noexcept;
    /// For a command that was broken off: no database of this thread goes on.
    void giveUp() noexcept;
    /// In a catch clause: what was thrown, and at which database.
    [[nodiscard]] Failure failureInFlight() const noexcept;

private:
    /// The thread's own view of one of its databases.
    struct Owned {
        DatabaseRecord* record;
        std::size_t index;
        std::unique_ptr<Database> database;
        /// This thread put it into backup mode. While a thread is late, another may hold a handle of the same database.
        bool inBackup = false;
    };
    /// What is learnt while a database is drained. It becomes part of the record at the end: the thread may have lost
    /// the record by then.
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
    /// Asks again for the first extent of the log that the backup needs: the log has moved on since the database was
    /// opened. Always before the start, when the answer can be too early but never too late.
    void readLogPosition(Owned& owned);
    /// Puts one database into backup mode. Returns whether it is in.
    bool startOne(Owned& owned);
    void start(const Limits& limits);
    void noteStarted();
    /// A call has returned over its budget, and its database was left out meanwhile: its backup is ended with abort.
    void lose(Owned& owned);
    /// Takes one database out of backup mode. The limits do not apply: databases come out whatever happens.
    bool stopOne(Owned& owned);
    void stop();
    bool captureOne(Owned& owned, const Limits& limits);
    void captureAndStop(const Limits& limits);
    void roll(const Limits& limits);
    void drain(const Limits& limits);
    void drainOne(Owned& owned);
    CallStatus drainInto(Owned& owned, DeltaFile& file, Drained& drained);
    CallStatus writeDelta(Owned& owned, DeltaFile& file, Drained& drained, CallMark& mark);
    /// The DBIID names the instance in the transaction log. Another one after the window means that the file under the
    /// name is not the one that was put into backup mode.
    CallStatus verifyIdentity(Owned& owned);
    /// Ends the backup with abort where it has not ended, and says so when that is refused. These calls hang like any
    /// other.
    void close(Owned& owned) noexcept;
    static bool endsWithAbort(Database& database) noexcept;

    SessionCore& core_;
    std::uint16_t index_;
    PresentCall& present_;
    // Order matters: databases are destroyed before the thread leaves the runtime.
    std::unique_ptr<ThreadScope> scope_;
    CallStatus entered_;
    /// Those that are written to most come last: they start last, and whatever takes databases out begins with them.
    std::vector<Owned> databases_;
    std::array<char, kPieceBytes> piece_{};
    bool relieved_ = false;  // this thread was late and has lost its claim: the rest of the command is done elsewhere
};

}  // namespace domino_vss::engine
