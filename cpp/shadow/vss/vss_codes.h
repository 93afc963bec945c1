#pragma once

#include <cstdint>
#include <string_view>

namespace domino_vss::vss {

/// An HRESULT of VSS, COM, RPC or Windows.
struct ResultCode {
    std::uint32_t value;
    std::string_view name;
    std::string_view text;
};

/// nullptr if the value is not in the table.
[[nodiscard]] const ResultCode* findResultCode(std::uint32_t value) noexcept;

// The codes that decisions depend on. Defined here because the system header does not exist on all platforms that run
// the tests.
namespace result {
inline constexpr std::uint32_t kOk = 0;
inline constexpr std::uint32_t kFalse = 1;
inline constexpr std::uint32_t kAsyncPending = 0x00042309;
inline constexpr std::uint32_t kAsyncFinished = 0x0004230A;
inline constexpr std::uint32_t kObjectNotFound = 0x80042308;
inline constexpr std::uint32_t kVolumeNotSupported = 0x8004230C;
inline constexpr std::uint32_t kVolumeNotSupportedByProvider = 0x8004230E;
inline constexpr std::uint32_t kSnapshotSetInProgress = 0x80042316;
inline constexpr std::uint32_t kWriterNotResponding = 0x80042319;
inline constexpr std::uint32_t kWriterPartialFailure = 0x80042336;
inline constexpr std::uint32_t kWriterInconsistentSnapshot = 0x800423F0;
inline constexpr std::uint32_t kWriterOutOfResources = 0x800423F1;
inline constexpr std::uint32_t kWriterRetryable = 0x800423F3;
inline constexpr std::uint32_t kWriterNonRetryable = 0x800423F4;
inline constexpr std::uint32_t kWriterStatusNotAvailable = 0x80042409;
inline constexpr std::uint32_t kAccessDenied = 0x80070005;
inline constexpr std::uint32_t kNotImplemented = 0x80004001;
inline constexpr std::uint32_t kTooLate = 0x80010119;
}  // namespace result

}  // namespace domino_vss::vss
