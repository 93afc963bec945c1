#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "engine/database.h"

namespace domino_vss::engine {

/// The life of one database in a session. Its shard thread moves it from state to state; the control thread may take it
/// away from a thread that hangs. The thread whose exchange out of `opening`, `starting`, `started`, `stopping` or
/// `stopped` succeeds decides what happens next.
enum class State : std::uint8_t {
    pending,
    opening,
    open,
    starting,
    started,
    stopping,
    stopped,
    settling,  ///< the winner writes the failure or the results, then stores the next state
    captured,
    skipped,
};

inline constexpr std::int64_t kNever = INT64_MIN;
inline constexpr std::uint16_t kNobody = UINT16_MAX;

/// All data about one database. Plain members are written by the thread that owns the state; other threads read them
/// only after they have seen `captured` or `skipped`.
struct DatabaseRecord {
    explicit DatabaseRecord(DatabaseSpec databaseSpec) : spec(std::move(databaseSpec)) {}

    DatabaseSpec spec;
    std::atomic<State> state = State::pending;
    /// A call on the database has not returned, and its thread was given up.
    std::atomic<bool> hanging = false;
    /// NSFBackupEnd with abort failed.
    std::atomic<bool> abortFailed = false;
    std::atomic<std::uint16_t> shard = kNobody;  ///< the shard whose thread opened it last

    // Relaxed atomics, because an abandoned thread may still write them while a report reads them.
    std::atomic<std::int64_t> startCalledNs = kNever;
    std::atomic<std::int64_t> startReturnedNs = kNever;
    std::atomic<std::int64_t> stopCalledNs = kNever;
    std::atomic<std::int64_t> stopReturnedNs = kNever;

    std::array<std::uint8_t, 8> replicaId{};
    LogInfo log;
    ModifiedTimes modified{};  ///< read before NSFBackupStart
    std::uint64_t startSizeBytes = 0;
    std::uint64_t announcedBytes = 0;
    std::uint64_t deltaBytes = 0;
    std::vector<std::uint32_t> irregularPieces;
    CallStatus failure;
    Phase failurePhase = Phase::idle;

    /// It is not known whether the database has left backup mode.
    [[nodiscard]] bool stuck() const noexcept { return hanging || abortFailed; }

    bool claim(State from, State to) noexcept {
        return state.compare_exchange_strong(from, to, std::memory_order_acq_rel);
    }

    /// Skips the database if it is still in `from`. Returns true if this call skipped it.
    bool skip(State from, const CallStatus& reason, Phase phase) noexcept {
        if (!claim(from, State::settling)) return false;
        failure = reason;
        failurePhase = phase;
        state.store(State::skipped, std::memory_order_release);
        return true;
    }
};

}  // namespace domino_vss::engine
