#pragma once

#include <string>

namespace domino_vss::vss {

/// Something the user should know although nothing failed.
struct Warning {
    const char* code;  ///< one of `warning_code`; part of the public interface
    std::string message;
    std::string subject;  ///< what it concerns; empty if that has no name
};

/// Explained in lib/errors/warning-codes/vss.ts.
namespace warning_code {
inline constexpr const char* kAbortFailed = "WARN_ABORT_FAILED";
inline constexpr const char* kComSecurity = "WARN_COM_SECURITY";
inline constexpr const char* kExposureLeft = "WARN_EXPOSURE_LEFT";
inline constexpr const char* kShadowNotDeleted = "WARN_SHADOW_NOT_DELETED";
inline constexpr const char* kShadowStorage = "WARN_SHADOW_STORAGE";
inline constexpr const char* kShadowVanished = "WARN_SHADOW_VANISHED";
inline constexpr const char* kWriterStateUnknown = "WARN_WRITER_STATE_UNKNOWN";
inline constexpr const char* kWriterUnknown = "WARN_WRITER_UNKNOWN";
inline constexpr const char* kWriterVanished = "WARN_WRITER_VANISHED";
}  // namespace warning_code

}  // namespace domino_vss::vss
