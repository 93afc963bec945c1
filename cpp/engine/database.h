#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "system/failure.h"

namespace domino_vss::engine {

/// One database to back up, in UTF-8.
struct DatabaseSpec {
    std::string path;    ///< what the API opens: relative to the data directory
    std::string file;    ///< resolved absolute path of the file
    std::string target;  ///< where a per-file provider puts the copy; empty otherwise
    /// What entering and leaving backup mode is expected to cost; 0 = unknown.
    std::uint32_t costUs = 0;
    /// How much is written to it, in any unit: what is written to most starts last and stops first.
    double activity = 0;
};

struct LogInfo {
    bool logged = false;
    std::array<std::uint8_t, 16> logId{};
    std::array<std::uint8_t, 16> dbiid{};
    std::uint32_t logExtent = 0;
};

/// When documents were changed last, and when anything else was: two TIMEDATEs. All zero when that is not known.
using ModifiedTimes = std::array<std::uint8_t, 16>;

enum class EndMode : std::uint8_t { complete, abort };

/// Calls that may hang, so that the one that does can be named.
enum class Operation : std::uint8_t {
    enterThread,
    open,
    replicaId,
    logInfo,
    modifiedTimes,
    start,
    copy,  ///< by the provider, between two high-water marks
    setHighWaterMark,
    stop,
    changeInfoSize,
    nextChangeInfo,
    end,
    close,
    serverTime,
};

/// Is told how far a copy has come.
class HighWaterMarks {
public:
    HighWaterMarks() = default;
    HighWaterMarks(const HighWaterMarks&) = delete;
    HighWaterMarks& operator=(const HighWaterMarks&) = delete;
    virtual ~HighWaterMarks() = default;

    [[nodiscard]] virtual CallStatus setHighWaterMark(std::uint64_t copiedBytes) = 0;
};

/// An open database. Belongs to the thread that opened it, from open to destruction: the Domino API requires it.
/// Calls inside the freeze window do not allocate. Whatever a call throws ends the session, with its databases out of
/// backup mode.
class Database : public HighWaterMarks {
public:
    Database() = default;
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;
    /// Ends a backup context that is still open with abort, then closes.
    ~Database() override = default;

    [[nodiscard]] virtual std::array<std::uint8_t, 8> replicaId() = 0;
    [[nodiscard]] virtual CallStatus logInfo(LogInfo& info) = 0;
    [[nodiscard]] virtual ModifiedTimes modifiedTimes() { return {}; }
    /// Enters backup mode; `sizeBytes` is the size the copy must have.
    [[nodiscard]] virtual CallStatus start(std::uint64_t& sizeBytes) = 0;
    [[nodiscard]] virtual CallStatus stop() = 0;
    [[nodiscard]] virtual CallStatus changeInfoSize(std::uint64_t& sizeBytes) = 0;
    /// `filled` 0 with success is the end of the stream.
    [[nodiscard]] virtual CallStatus nextChangeInfo(std::span<char> buffer, std::uint32_t& filled) = 0;
    [[nodiscard]] virtual CallStatus end(EndMode mode) = 0;
};

/// A thread's membership in the runtime (NotesInitThread … NotesTermThread).
class ThreadScope {
public:
    ThreadScope() = default;
    ThreadScope(const ThreadScope&) = delete;
    ThreadScope& operator=(const ThreadScope&) = delete;
    virtual ~ThreadScope() = default;
};

/// Innards of a TIMEDATE and the same moment on the wall clock.
struct ServerTime {
    std::array<std::uint32_t, 2> innards{};
    double epochMs = 0;
};

/// Where databases come from. Implementations must allow calls from several shard threads at once.
class DatabaseSource {
public:
    DatabaseSource() = default;
    DatabaseSource(const DatabaseSource&) = delete;
    DatabaseSource& operator=(const DatabaseSource&) = delete;
    virtual ~DatabaseSource() = default;

    /// Called first on every shard thread; the scope is destroyed there last.
    [[nodiscard]] virtual CallStatus enterThread(std::unique_ptr<ThreadScope>& scope) = 0;
    [[nodiscard]] virtual CallStatus open(const DatabaseSpec& spec, std::unique_ptr<Database>& database) = 0;
    [[nodiscard]] virtual ServerTime serverTime() = 0;
    /// Turns a status into texts; called outside the window, on any thread of the runtime.
    [[nodiscard]] virtual Failure describe(const CallStatus& status, Phase phase, std::string subject) = 0;
    /// What the operation is called where it comes from; empty when it is none of theirs. Static storage.
    [[nodiscard]] virtual const char* nameOf(Operation /*operation*/) const noexcept { return ""; }
};

}  // namespace domino_vss::engine
