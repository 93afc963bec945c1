#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "backup/database.h"
#include "backup/deadline.h"

namespace domino_vss::backup {

/// How a provider captures, which decides the order inside the window.
enum class CaptureScope : std::uint8_t {
    set,      ///< all databases started → one commit for everything → all stopped
    file,     ///< all databases started → per file: capture, stop
    rolling,  ///< per database: start, capture with high-water marks, stop, drain, end; few at a time
};

/// Makes the shadow. One per session. Only `captureFile` is called from shard threads, the rest from the control
/// thread.
class ShadowProvider {
public:
    ShadowProvider() = default;
    ShadowProvider(const ShadowProvider&) = delete;
    ShadowProvider& operator=(const ShadowProvider&) = delete;
    virtual ~ShadowProvider() = default;

    [[nodiscard]] virtual CaptureScope scope() const noexcept = 0;
    /// All slow work that needs no frozen database: directories, flushing volumes. Throws Failure.
    virtual void prepare(std::span<const DatabaseSpec> databases, const Limits& limits) = 0;
    /// Scope `set`: the shadow itself. Throws Failure; whatever it made until then is removed by `remove`.
    virtual void commit(const Limits& /*limits*/) {}
    /// Scopes `file` and `rolling`: one database that is in backup mode.
    [[nodiscard]] virtual CallStatus captureFile(const DatabaseSpec& /*spec*/, Database& /*database*/,
                                                 std::uint64_t /*sizeBytes*/, const Limits& /*limits*/) noexcept {
        return {};
    }
    /// Makes what was captured durable; outside the window. Throws Failure.
    virtual void makeDurable() {}
    /// Removes everything this provider made. Idempotent. Throws Failure when something stays.
    virtual void remove() = 0;
};

}  // namespace domino_vss::backup
