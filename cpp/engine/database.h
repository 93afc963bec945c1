#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "system/failure.h"

namespace domino_vss::engine {

/// A database to back up. All strings are UTF-8.
struct DatabaseSpec {
    std::string path;    ///< as passed to the API: relative to the data directory
    std::string file;    ///< resolved absolute path of the file
    std::string target;  ///< where a per-file provider puts the copy; otherwise empty
    /// Expected time to enter and leave backup mode; 0 = unknown.
    std::uint32_t costUs = 0;
    /// Write activity, in any unit. The most active databases start last and stop first.
    double activity = 0;
    /// Number of the file on its volume when it was found; 0 = unknown.
    std::uint64_t fileNumber = 0;
};

struct LogInfo {
    bool logged = false;
    std::array<std::uint8_t, 16> logId{};
    std::array<std::uint8_t, 16> dbiid{};
    std::uint32_t logExtent = 0;
};

/// Two TIMEDATEs: the last change to documents, and the last change to anything else. All zero if unknown.
using ModifiedTimes = std::array<std::uint8_t, 16>;

enum class EndMode : std::uint8_t { complete, abort };

/// Calls that may hang. Recorded so that a hanging call can be reported by name.
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

/// Receives the progress of a copy.
class HighWaterMarks {
public:
    HighWaterMarks() = default;
    HighWaterMarks(const HighWaterMarks&) = delete;
    HighWaterMarks& operator=(const HighWaterMarks&) = delete;
    virtual ~HighWaterMarks() = default;

    [[nodiscard]] virtual CallStatus setHighWaterMark(std::uint64_t copiedBytes) = 0;
};

/// An open database. The Domino API ties it to the thread that opened it, from open to destruction. Calls inside the
/// freeze window do not allocate. An exception from any call fails the session, which then takes its databases out of
/// backup mode.
class Database : public HighWaterMarks {
public:
    Database() = default;
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;
    /// Ends an open backup context with abort, then closes the database.
    ~Database() override = default;

    [[nodiscard]] virtual std::array<std::uint8_t, 8> replicaId() = 0;
    [[nodiscard]] virtual CallStatus logInfo(LogInfo& info) = 0;
    [[nodiscard]] virtual ModifiedTimes modifiedTimes() { return {}; }
    /// Enters backup mode. `sizeBytes` receives the size that the copy must have.
    [[nodiscard]] virtual CallStatus start(std::uint64_t& sizeBytes) = 0;
    [[nodiscard]] virtual CallStatus stop() = 0;
    [[nodiscard]] virtual CallStatus changeInfoSize(std::uint64_t& sizeBytes) = 0;
    /// Success with `filled` = 0 means end of stream.
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

/// The two words (Innards) of a TIMEDATE, and the same moment as wall-clock time.
struct ServerTime {
    std::array<std::uint32_t, 2> innards{};
    double epochMs = 0;
};

/// Opens databases. Shard threads call it concurrently.
class DatabaseSource {
public:
    DatabaseSource() = default;
    DatabaseSource(const DatabaseSource&) = delete;
    DatabaseSource& operator=(const DatabaseSource&) = delete;
    virtual ~DatabaseSource() = default;

    /// The first call on every shard thread. The scope is destroyed on the same thread, last.
    [[nodiscard]] virtual CallStatus enterThread(std::unique_ptr<ThreadScope>& scope) = 0;
    [[nodiscard]] virtual CallStatus open(const DatabaseSpec& spec, std::unique_ptr<Database>& database) = 0;
    [[nodiscard]] virtual ServerTime serverTime() = 0;
    /// Adds the text for a status. Called outside the window, on any thread that has entered the runtime.
    [[nodiscard]] virtual Failure describe(const CallStatus& status, Phase phase, std::string subject) = 0;
    /// The API's name for the operation; empty if the API has no such call. Static storage.
    [[nodiscard]] virtual const char* nameOf(Operation /*operation*/) const noexcept { return ""; }
};

}  // namespace domino_vss::engine
