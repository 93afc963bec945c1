#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <vector>

#include "engine/session_core.h"
#include "engine/shard.h"

namespace domino_vss::engine {

/// The shards of one session and their supervision. A database that hangs is skipped, and the other databases of its
/// shard continue on another shard. All member functions are for the control thread.
class ShardCrew {
public:
    /// Creates no thread before `run(open)`.
    ShardCrew(std::shared_ptr<SessionCore> core, std::uint16_t shards, std::chrono::milliseconds databaseBudget);

    /// Makes every shard execute the command, and waits. While databases are entering backup mode, one that exceeds its
    /// budget is skipped and no longer waited for. Once they are in backup mode, they are waited for until one of their
    /// calls exceeds its budget. Also returns when the limits are exceeded. Rethrows what a shard threw: the databases
    /// of that shard are out of backup mode; the caller must release the others.
    void run(ShardCommand command, const Limits& limits);
    /// Takes all databases out of backup mode, closes them and ends the threads. Databases that hang are given up and
    /// recorded. Allocates nothing, because every cleanup after a failure depends on it.
    void release();

private:
    using Shards = std::vector<std::unique_ptr<Shard>>;

    void recruit();
    /// Waits for the shards during open, start and roll. Returns when all are idle or late, or shortly after the limits
    /// are exceeded.
    void awaitRelieving(ShardCommand command, const Limits& limits);
    /// Waits for all shards, as long as their calls keep returning. A shard is given up if one of its calls exceeds the
    /// budget, or still hangs when the limits are exceeded. A shard that was already late gets one more budget first.
    void awaitAll(const Limits& limits);
    /// The thread hangs in a call: skips its database and moves the others to a relief shard.
    void relieve(Shard& shard, std::int64_t callBeganNs, ShardCommand command, const Limits& limits);
    /// The thread hangs in a call and holds databases that only it can take out of backup mode: skips all of them.
    void giveUp(Shard& shard);
    /// Skips the database whose call hangs. Returns true if this call skipped it.
    bool leaveOut(DatabaseRecord& record, Operation operation, ShardCommand command);
    static bool leaveOutInBackup(DatabaseRecord& record, State state, const CallStatus& reason, Phase phase);
    [[nodiscard]] CallStatus budgetStatus(Operation operation) const noexcept;
    /// Ends the state changes of a command: skips every database that has not reached `open` or `started`.
    void leaveOutUnfinished(Phase phase);
    void requireWorkingShards() const;

    std::shared_ptr<SessionCore> core_;
    std::uint16_t size_;
    std::chrono::milliseconds databaseBudget_;
    Shards shards_;
};

}  // namespace domino_vss::engine
