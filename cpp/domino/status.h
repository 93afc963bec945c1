#pragma once

#include <string>
#include <string_view>

#include "domino/c_api.h"
#include "system/failure.h"

namespace domino_vss::domino {

inline constexpr STATUS kErrorMask = 0x3FFF;

/// A STATUS without the flags "displayed" and "remote". Comparisons need this form.
[[nodiscard]] constexpr STATUS errorCode(STATUS status) noexcept {
    return static_cast<STATUS>(status & kErrorMask);
}

namespace error {
inline constexpr STATUS kTerminating = 0x0117;
inline constexpr STATUS kSetupNotDone = 0x0142;
inline constexpr STATUS kMemoryWentAway = 0x0143;
inline constexpr STATUS kNestedInit = 0x019F;
inline constexpr STATUS kNoNotesIni = 0x01A5;
inline constexpr STATUS kAlreadyRunning = 0x01BF;
inline constexpr STATUS kUserRoot = 0x01ED;
inline constexpr STATUS kNotInitialized = 0x0217;
inline constexpr STATUS kBackupInProgress = 0x0EA4;
inline constexpr STATUS kNotDoingBackup = 0x0EA5;
inline constexpr STATUS kCorruptChangeInfo = 0x0EA7;
inline constexpr STATUS kNoTranslogsToArchive = 0x13DE;
inline constexpr STATUS kRecoveryLogError = 0x13E3;
inline constexpr STATUS kDatabaseOffline = 0x13F9;
inline constexpr STATUS kServerNotTranslogged = 0x13FF;
inline constexpr STATUS kBackupAborted = 0x3810;
inline constexpr STATUS kBackupAborted2 = 0x2DD8;
}  // namespace error

/// Symbolic name from HCL's headers; empty for unknown codes.
[[nodiscard]] std::string_view statusName(STATUS status) noexcept;
/// Our own text for codes whose text the runtime cannot provide because it did not start; otherwise empty.
[[nodiscard]] std::string_view ownText(STATUS status) noexcept;

/// Result of one C API call; success for NOERROR.
[[nodiscard]] CallStatus callStatus(STATUS status, const char* operation) noexcept;

}  // namespace domino_vss::domino
