#pragma once

#include <cstdint>
#include <exception>
#include <string>
#include <string_view>

namespace domino_vss {

/// The phase of a backup or restore in which something happened. The names cross the boundary to JavaScript.
enum class Phase : std::uint8_t {
    idle,
    runtime,
    find,
    open,
    prepare,
    start,
    shadow,
    stop,
    drain,
    end,
    restore,
    probe,
    archive,
    closed,
};

[[nodiscard]] const char* phaseName(Phase phase) noexcept;

/// The source of a status number.
enum class Domain : std::uint8_t { domino, system, com, engine };

/// Public error codes that native code uses. Documented in JavaScript (lib/errors/codes.ts).
namespace code {
inline constexpr const char* kAborted = "ERR_ABORTED";
inline constexpr const char* kBackupEndedByDomino = "ERR_BACKUP_ENDED_BY_DOMINO";
inline constexpr const char* kCloneRefused = "ERR_CLONE_REFUSED";
inline constexpr const char* kCopy = "ERR_COPY";
inline constexpr const char* kCorruptChangeInfo = "ERR_CORRUPT_CHANGE_INFO";
inline constexpr const char* kDatabaseBudget = "ERR_DATABASE_BUDGET";
inline constexpr const char* kDatabaseNotReached = "ERR_DATABASE_NOT_REACHED";
inline constexpr const char* kDatabaseReplaced = "ERR_DATABASE_REPLACED";
inline constexpr const char* kDatabaseStuck = "ERR_DATABASE_STUCK";
inline constexpr const char* kDatabaseVanished = "ERR_DATABASE_VANISHED";
inline constexpr const char* kDeadline = "ERR_DEADLINE";
inline constexpr const char* kDeltaWrite = "ERR_DELTA_WRITE";
inline constexpr const char* kDominoBitness = "ERR_DOMINO_BITNESS";
inline constexpr const char* kDominoCall = "ERR_DOMINO_CALL";
inline constexpr const char* kDominoEnvironment = "ERR_DOMINO_ENVIRONMENT";
inline constexpr const char* kDominoInit = "ERR_DOMINO_INIT";
inline constexpr const char* kDominoLibrary = "ERR_DOMINO_LIBRARY";
inline constexpr const char* kDominoLibraryUnsafe = "ERR_DOMINO_LIBRARY_UNSAFE";
inline constexpr const char* kDominoNotesIni = "ERR_DOMINO_NOTES_INI";
inline constexpr const char* kDominoNotOpen = "ERR_DOMINO_NOT_OPEN";
inline constexpr const char* kDominoRuntimeBusy = "ERR_DOMINO_RUNTIME_BUSY";
inline constexpr const char* kDominoUser = "ERR_DOMINO_USER";
inline constexpr const char* kFind = "ERR_FIND";
inline constexpr const char* kHook = "ERR_HOOK";
inline constexpr const char* kHookTimeout = "ERR_HOOK_TIMEOUT";
inline constexpr const char* kInternal = "ERR_INTERNAL";
inline constexpr const char* kLeaseExpired = "ERR_LEASE_EXPIRED";
inline constexpr const char* kLocked = "ERR_LOCKED";
inline constexpr const char* kNoDatabases = "ERR_NO_DATABASES";
inline constexpr const char* kOriginalAside = "ERR_ORIGINAL_ASIDE";
inline constexpr const char* kRequiredDatabase = "ERR_REQUIRED_DATABASE";
inline constexpr const char* kService = "ERR_SERVICE";
inline constexpr const char* kShadow = "ERR_SHADOW";
inline constexpr const char* kFileSystem = "ERR_FILE_SYSTEM";
inline constexpr const char* kShadowHangs = "ERR_SHADOW_HANGS";
inline constexpr const char* kShadowDirectory = "ERR_SHADOW_DIRECTORY";
inline constexpr const char* kShadowVanished = "ERR_SHADOW_VANISHED";
inline constexpr const char* kState = "ERR_STATE";
inline constexpr const char* kStateDirectory = "ERR_STATE_DIRECTORY";
inline constexpr const char* kTooManySkipped = "ERR_TOO_MANY_SKIPPED";
inline constexpr const char* kUnsupported = "ERR_UNSUPPORTED";
inline constexpr const char* kVss = "ERR_VSS";
inline constexpr const char* kVssAccess = "ERR_VSS_ACCESS";
inline constexpr const char* kVssLibrary = "ERR_VSS_LIBRARY";
inline constexpr const char* kVssService = "ERR_VSS_SERVICE";
inline constexpr const char* kVssWriter = "ERR_VSS_WRITER";
inline constexpr const char* kVssWriterMissing = "ERR_VSS_WRITER_MISSING";
inline constexpr const char* kWindowTimeout = "ERR_WINDOW_TIMEOUT";
inline constexpr const char* kWriterSnapshot = "ERR_WRITER_SNAPSHOT";
}  // namespace code

/// Result of one call on one database or file. Trivially copyable and created without allocation, because it is used
/// inside the freeze window; texts are looked up afterwards.
struct CallStatus {
    const char* code = nullptr;  ///< nullptr = success
    const char* operation = "";  ///< static storage
    Domain domain = Domain::engine;
    std::uint32_t status = 0;

    [[nodiscard]] bool ok() const noexcept { return code == nullptr; }
};

/// The only exception type of the native code.
class Failure : public std::exception {
public:
    Failure(const char* failureCode, Phase failurePhase, std::string failureText, std::string failureSubject = {});

    [[nodiscard]] const char* what() const noexcept override { return text.c_str(); }

    const char* code;
    Phase phase;
    Domain domain = Domain::engine;
    std::uint32_t status = 0;
    std::string operation;
    std::string statusName;
    std::string text;
    std::string subject;
};

/// Call in a catch clause: converts the current exception. Anything but a Failure becomes ERR_INTERNAL.
[[nodiscard]] Failure failureInFlight(Phase phase) noexcept;

/// For a failed system call; `systemError` is from errno on Linux, from GetLastError on Windows.
[[nodiscard]] Failure systemFailure(const char* code, Phase phase, const char* operation, std::string subject,
                                    int systemError);
[[nodiscard]] CallStatus systemStatus(const char* code, const char* operation, int systemError) noexcept;

/// For a decision of the engine itself.
[[nodiscard]] constexpr CallStatus engineStatus(const char* code) noexcept {
    return {code, "", Domain::engine, 0};
}

/// Describes a status of the system or engine domain. For a Domino status, use DatabaseSource::describe.
[[nodiscard]] Failure describeStatus(const CallStatus& status, Phase phase, std::string subject);

}  // namespace domino_vss
