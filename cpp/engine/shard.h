#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "engine/session_core.h"
#include "engine/shard_work.h"
#include "system/abandonable_thread.h"

namespace domino_vss::engine {

/// One thread and the databases that belong to it from open to close. The control thread posts commands, which run in
/// order, and waits for them. A shard whose thread hangs in a call is *late*: the other shards continue, and it catches
/// up if the call returns. A shard that threw has *failed*: its databases are out of backup mode, and it does no
/// further work.
class Shard {
public:
    Shard(std::shared_ptr<SessionCore> core, std::uint16_t index, std::vector<std::size_t> records);
    Shard(const Shard&) = delete;
    Shard& operator=(const Shard&) = delete;
    /// Calls finish(), then waits for the thread. A shard that was given up is not waited for; its thread ends when its
    /// call returns.
    ~Shard();

    void post(ShardCommand command, const Limits& limits);
    /// Makes the thread close its databases after the posted commands, with abort if they are in backup mode, and end.
    /// Every cleanup after a failure depends on this, so it cannot fail.
    void finish() noexcept;
    /// True if all posted commands are done or the shard has failed. Call it with the core's mutex held to wait without
    /// missing a wake-up.
    [[nodiscard]] bool idle() const noexcept;
    /// What the thread threw. Valid once the shard is idle.
    [[nodiscard]] const std::optional<Failure>& failure() const noexcept;
    [[nodiscard]] std::uint16_t index() const noexcept;
    [[nodiscard]] const PresentCall& present() const noexcept;
    [[nodiscard]] const std::vector<std::size_t>& records() const noexcept;

    bool late = false;     ///< control thread only: a call exceeded its budget
    bool givenUp = false;  ///< control thread only: no longer waited for
    /// Control thread only: how long the destructor waits for the thread to leave the runtime. That call may hang too.
    Clock::time_point leaveBy;

private:
    struct Message {
        ShardCommand command = ShardCommand::open;
        Limits limits;
    };
    struct Shared;  // outlives this object if the thread is abandoned
    static void serve(Shared& shared);

    std::shared_ptr<Shared> shared_;
    AbandonableThread thread_;
};

}  // namespace domino_vss::engine
