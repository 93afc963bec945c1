#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "engine/database.h"

namespace domino_vss::engine {

/// Life of one database in a session. A shard thread moves its databases along; the control thread may take a database
/// away from a thread that hangs. Whoever wins the exchange out of `opening`, `starting` or `stopping` owns what
/// follows.
enum class State : std::uint8_t {
    pending,
    opening,
    open,
    starting,
    started,
    stopping,
    stopped,
    settling,  ///< the winner writes the failure, then stores `skipped`
    captured,
    skipped,
};

inline constexpr std::int64_t kNever = INT64_MIN;
inline constexpr std::uint16_t kNobody = UINT16_MAX;

/// Everything known about one database. Plain members are written by the thread that owns the state and read by others
/// only after they have seen `captured` or `skipped`.
struct DatabaseRecord {
    explicit DatabaseRecord(DatabaseSpec databaseSpec) : spec(std::move(databaseSpec)) {}

    DatabaseSpec spec;
    std::atomic<State> state = State::pending;
    /// A call on it has not returned, and its thread was given up.
    std::atomic<bool> hanging = false;
    /// NSFBackupEnd with abort was refused.
    std::atomic<bool> abortFailed = false;
    std::atomic<std::uint16_t> shard = kNobody;  ///< whose thread opened it last

    // Relaxed atomics: a thread that was given up may still write its own while a report is being read.
    std::atomic<std::int64_t> startCalledNs = kNever;
    std::atomic<std::int64_t> startReturnedNs = kNever;
    std::atomic<std::int64_t> stopCalledNs = kNever;
    std::atomic<std::int64_t> stopReturnedNs = kNever;

    std::array<std::uint8_t, 8> replicaId{};
    LogInfo log;
    ModifiedTimes modified{};  ///< before NSFBackupStart
    std::uint64_t startSizeBytes = 0;
    std::uint64_t announcedBytes = 0;
    std::uint64_t deltaBytes = 0;
    std::vector<std::uint32_t> irregularPieces;
    CallStatus failure;
    Phase failurePhase = Phase::idle;

    /// Nobody can say that it has left backup mode.
    [[nodiscard]] bool stuck() const noexcept { return hanging || abortFailed; }

    bool claim(State from, State to) noexcept {
        return state.compare_exchange_strong(from, to, std::memory_order_acq_rel);
    }

    /// Leaves the database out if it is still in `from`. Returns whether this call did it.
    bool skip(State from, const CallStatus& reason, Phase phase) noexcept {
        if (!claim(from, State::settling)) return false;
        failure = reason;
        failurePhase = phase;
        state.store(State::skipped, std::memory_order_release);
        return true;
    }
};

}  // namespace domino_vss::engine
