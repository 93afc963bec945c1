#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <vector>

#include "engine/session_core.h"
#include "engine/shard.h"

namespace domino_vss::engine {

/// The shards of one session and their supervision: a database that hangs is left out, and so that it holds nobody up,
/// the rest of its shard goes on elsewhere. All functions are for the control thread.
class ShardCrew {
public:
    /// No thread is made before `run(open)`.
    ShardCrew(std::shared_ptr<SessionCore> core, std::uint16_t shards, std::chrono::milliseconds databaseBudget);

    /// Has every shard execute the command, and waits. Until a database is in backup mode, nobody waits for one that is
    /// over its budget. Databases that are already in come out, so they are waited for until one of their calls is over
    /// it. Returns also when the limits are exceeded. Throws what was thrown on a shard: its databases are out, and the
    /// others are to be released.
    void run(ShardCommand command, const Limits& limits);
    /// Databases out of backup mode, closed, threads gone; those that hang are given up and named. Allocates nothing,
    /// for it is the way out of every failure.
    void release();

private:
    using Shards = std::vector<std::unique_ptr<Shard>>;

    void recruit();
    /// Waits for the shards while they open, start or roll. Returns when all are idle or late, or shortly after the
    /// limits are exceeded.
    void awaitRelieving(ShardCommand command, const Limits& limits);
    /// Waits for all shards. As long as databases come out one after the other they are all waited for. A shard is
    /// given up when one of its calls is over the budget, or hangs when the limits are exceeded; one that was late
    /// already gets another budget first.
    void awaitAll(const Limits& limits);
    /// The thread hangs in a call: its database is left out, and the rest goes on elsewhere.
    void relieve(Shard& shard, std::int64_t callBeganNs, ShardCommand command, const Limits& limits);
    /// The thread hangs in a call, and holds databases that only it can take out of backup mode: all of them are left
    /// out.
    void giveUp(Shard& shard);
    /// Leaves out the database whose call hangs. Returns whether this call did it.
    bool leaveOut(DatabaseRecord& record, Operation operation, ShardCommand command);
    static bool leaveOutInBackup(DatabaseRecord& record, State state, const CallStatus& reason, Phase phase);
    [[nodiscard]] CallStatus budgetStatus(Operation operation) const noexcept;
    /// No database may change sides any more: what is still on its way into `open` or `started` is left out.
    void leaveOutUnfinished(Phase phase);
    void requireWorkingShards() const;

    std::shared_ptr<SessionCore> core_;
    std::uint16_t size_;
    std::chrono::milliseconds databaseBudget_;
    Shards shards_;
};

}  // namespace domino_vss::engine
