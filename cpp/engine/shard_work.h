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
    start,
    captureAndStop,
    roll,
    stop,
    drain,
};

/// What the thread of a shard does with its databases. Lives on the stack of that thread, so every database handle is
/// destroyed on the thread that made it.
class ShardWork {
public:
    /// Enters the runtime; the destructor leaves it. `callBegan` and `current` say which call is under way, for the
    /// crew.
    ShardWork(SessionCore& core, std::uint16_t index, std::span<const std::size_t> recordIndexes,
              std::atomic<std::int64_t>& callBegan, std::atomic<std::size_t>& current);
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
    class CallMark;

    void open(const Limits& limits);
    void openOne(Owned& owned);
    /// Puts one database into backup mode. Returns whether it is in.
    bool startOne(Owned& owned);
    void start(const Limits& limits);
    void noteStarted();
    /// Takes one database out of backup mode. The limits do not apply: databases come out whatever happens.
    bool stopOne(Owned& owned);
    void stop();
    bool captureOne(Owned& owned, const Limits& limits);
    void captureAndStop(const Limits& limits);
    void roll(const Limits& limits);
    void drain(const Limits& limits);
    void drainOne(Owned& owned);
    CallStatus writeDelta(Owned& owned, DeltaFile& file);
    /// The DBIID names the instance in the transaction log. Another one after the window means that the file under the
    /// name is not the one that was put into backup mode.
    CallStatus verifyIdentity(Owned& owned);
    /// Ends the backup with abort where it has not ended, and says so when that is refused. These calls hang like any
    /// other.
    void close(Owned& owned) noexcept;
    static bool endsWithAbort(Database& database) noexcept;

    SessionCore& core_;
    std::uint16_t index_;
    std::atomic<std::int64_t>& callBegan_;
    std::atomic<std::size_t>& current_;
    // Order matters: databases are destroyed before the thread leaves the runtime.
    std::unique_ptr<ThreadScope> scope_;
    CallStatus entered_;
    std::vector<Owned> databases_;
    std::array<char, kPieceBytes> piece_{};
    bool relieved_ = false;  // this thread was late and has lost its claim: the rest of the command is done elsewhere
};

}  // namespace domino_vss::engine
