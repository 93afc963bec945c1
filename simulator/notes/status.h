#pragma once
// Status codes of the C API, and the exception that carries them.

#include <exception>
#include <system_error>

#include "types.h"

namespace domino_sim {

inline constexpr Status kNoError = 0x0000;

inline constexpr Status kProtected = 0x0102;
inline constexpr Status kNoExist = 0x0103;
inline constexpr Status kExists = 0x0104;
inline constexpr Status kTooManyFiles = 0x0105;
inline constexpr Status kDiskFull = 0x0106;
inline constexpr Status kOutOfMemory = 0x0107;
inline constexpr Status kIoError = 0x010E;
inline constexpr Status kAccess = 0x0110;
inline constexpr Status kInvalidFileName = 0x0113;
inline constexpr Status kSetupNotDone = 0x0142;
inline constexpr Status kAbsolutePathNeeded = 0x014B;
inline constexpr Status kNestedInit = 0x019F;
inline constexpr Status kNoNotesIni = 0x01A5;
inline constexpr Status kUserRoot = 0x01ED;
inline constexpr Status kLinkDestinationMissing = 0x01F9;
inline constexpr Status kNotNsf = 0x0201;
inline constexpr Status kValueFlags = 0x0208;
inline constexpr Status kNotInitialised = 0x0217;
inline constexpr Status kNotLocal = 0x0220;
inline constexpr Status kNsfInUse = 0x022E;
inline constexpr Status kNsfCorrupt = 0x0238;
inline constexpr Status kDatabasePoolFull = 0x02F5;
inline constexpr Status kExclusivelyOpen = 0x02CC;
inline constexpr Status kClosedOnOtherThread = 0x02CF;
inline constexpr Status kServerNotResponding = 0x0807;
inline constexpr Status kTransLogNotArchived = 0x0EA1;
inline constexpr Status kBackupAlreadyInProgress = 0x0EA4;
inline constexpr Status kNotDoingBackup = 0x0EA5;
inline constexpr Status kInvalidChangeInfoContext = 0x0EA6;
inline constexpr Status kCorruptChangeInfo = 0x0EA7;
inline constexpr Status kArchiveInProgress = 0x0EAE;
inline constexpr Status kBackupRecordingFailed = 0x13A9;  // reported to the user whose write failed
inline constexpr Status kCompacting = 0x13AA;
inline constexpr Status kDamaged = 0x13C1;
inline constexpr Status kRecoveryGeneralFailure = 0x13C5;
inline constexpr Status kOnlyV5Databases = 0x13C7;
inline constexpr Status kNoSuchTransLog = 0x13DC;
inline constexpr Status kNoTransLogsToArchive = 0x13DE;
inline constexpr Status kRecoveryLogError = 0x13E3;
inline constexpr Status kScanInProgress = 0x13E8;
inline constexpr Status kDatabaseInUse = 0x13EA;
inline constexpr Status kLateBackup = 0x13EB;
inline constexpr Status kOpenBackup = 0x13F3;
inline constexpr Status kInstanceIdInUse = 0x13F4;
inline constexpr Status kDatabaseOffline = 0x13F9;
inline constexpr Status kRecoverNonBackup = 0x13FA;
inline constexpr Status kServerNotLogged = 0x13FF;
inline constexpr Status kBackupAbortedOverload = 0x2DD8;
inline constexpr Status kBackupAbortedTimeout = 0x3810;

/** A failure on its way to the C boundary. */
class StatusError : public std::exception {
public:
    explicit StatusError(Status code) : code_(code) {}
    Status code() const { return code_; }
    const char* what() const noexcept override { return "C API status"; }

private:
    Status code_;
};

/** The C API's status for an error of the operating system. */
Status statusOf(const std::error_code& error);

/** The status for the current exception. Call it only in a catch block. */
Status statusOfCurrentException() noexcept;

}  // namespace domino_sim
