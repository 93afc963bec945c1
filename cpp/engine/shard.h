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

/// One thread and the databases that live on it from open to close. Commands run one after the other; the control
/// thread posts them and waits. A shard whose thread hangs in a call is *late*: others go on, it catches up when it
/// returns. One in which something was thrown has *failed*: its databases are out, and it does nothing any more.
class Shard {
public:
    Shard(std::shared_ptr<SessionCore> core, std::uint16_t index, std::vector<std::size_t> records);
    Shard(const Shard&) = delete;
    Shard& operator=(const Shard&) = delete;
    /// Finishes, and waits for the thread unless it was given up: then it ends by itself when its call returns.
    ~Shard();

    void post(ShardCommand command, const Limits& limits);
    /// After what was posted the thread closes its databases, with abort where they are in backup mode, and ends. This
    /// is the way out of every failure, so nothing in it can fail.
    void finish() noexcept;
    /// Everything posted has been done, or the shard has failed. Call with the core's mutex held to wait without
    /// missing a wake-up.
    [[nodiscard]] bool idle() const noexcept;
    /// What was thrown on the thread. Meaningful once the shard is idle.
    [[nodiscard]] const std::optional<Failure>& failure() const noexcept;
    [[nodiscard]] std::uint16_t index() const noexcept;
    [[nodiscard]] const PresentCall& present() const noexcept;
    [[nodiscard]] const std::vector<std::size_t>& records() const noexcept;

    bool late = false;     ///< control thread only: a call went over its budget
    bool givenUp = false;  ///< control thread only: nobody waits for it any more
    /// Control thread only: until when the destructor waits for the thread to leave the runtime, which may hang as
    /// well.
    Clock::time_point leaveBy;

private:
    struct Message {
        ShardCommand command = ShardCommand::open;
        Limits limits;
    };
    struct Shared;  // outlives this object when the thread is abandoned
    static void serve(Shared& shared);

    std::shared_ptr<Shared> shared_;
    AbandonableThread thread_;
};

}  // namespace domino_vss::engine
