#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "engine/session_core.h"

namespace domino_vss::engine {

enum class ShardCommand : std::uint8_t {
    open,
    start,
    captureAndStop,
    roll,
    stop,
    drain,
    abort,
    exit,
};

/// One thread and the databases that live on it from open to close. Commands run one after the other; the control
/// thread posts them and waits. A shard whose thread hangs in a call is *late*: others go on, it catches up when it
/// returns.
class Shard {
public:
    Shard(std::shared_ptr<SessionCore> core, std::uint16_t index, std::vector<std::size_t> records);
    Shard(const Shard&) = delete;
    Shard& operator=(const Shard&) = delete;
    /// Joins, or detaches a thread that is late: it ends by itself when its call returns.
    ~Shard();

    void post(ShardCommand command, const Limits& limits);
    /// Every posted command has finished. Call with the core's mutex held to wait without missing a wake-up.
    [[nodiscard]] bool idle() const noexcept;
    [[nodiscard]] std::uint16_t index() const noexcept;
    /// Since when the present call on a database runs; kNever between calls.
    [[nodiscard]] std::int64_t callBeganNs() const noexcept;
    [[nodiscard]] std::size_t currentRecord() const noexcept;
    [[nodiscard]] const std::vector<std::size_t>& records() const noexcept;

    bool late = false;     ///< control thread only: a call went over its budget
    bool givenUp = false;  ///< control thread only: nobody waits for it any more

private:
    struct Message {
        ShardCommand command = ShardCommand::exit;
        Limits limits;
    };
    struct Shared;  // outlives this object when the thread is detached
    static void run(const std::shared_ptr<Shared>& shared);
    static void serve(Shared& shared);

    std::shared_ptr<Shared> shared_;
    std::thread thread_;  // not jthread: a late thread must be detached, never joined
};

}  // namespace domino_vss::engine
