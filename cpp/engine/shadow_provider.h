#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/capture_window.h"
#include "engine/database.h"
#include "engine/deadline.h"

namespace domino_vss::engine {

/// How a provider captures. Determines the order of calls inside the window.
enum class CaptureScope : std::uint8_t {
    set,      ///< all databases started → one commit for everything → all stopped
    file,     ///< all databases started → per file: capture, stop
    rolling,  ///< per database: start, capture with high-water marks, stop, drain, end; few at a time
};

/// Makes the shadow; one instance per session. `captureFile` is called concurrently on shard threads. All other calls
/// come one at a time from the provider thread. A call that can hang is recorded first (CurrentCall), so that it can be
/// reported by name. A function that takes limits returns soon after they are exceeded, unless one of its own calls
/// hangs.
///
///   begin → prepare → commit → afterWindow → makeDurable → [complete | leaveUntold] → remove | keep
class ShadowProvider {
public:
    ShadowProvider() = default;
    ShadowProvider(const ShadowProvider&) = delete;
    ShadowProvider& operator=(const ShadowProvider&) = delete;
    virtual ~ShadowProvider() = default;

    [[nodiscard]] virtual CaptureScope scope() const noexcept = 0;
    /// The first call, on the provider thread. Does the per-thread setup, so that it is not part of the commit. The
    /// scope is destroyed on the same thread, last. Throws Failure.
    [[nodiscard]] virtual std::unique_ptr<ThreadScope> enterThread() { return nullptr; }
    /// Before any database is open: slow work that takes no lock others wait for. Throws Failure.
    virtual void begin(const Limits& /*limits*/) {}
    /// Slow work that does not need frozen databases: creating directories, flushing volumes. Throws Failure.
    virtual void prepare(std::span<const DatabaseSpec> databases, const Limits& limits) = 0;
    /// Scope `set`: takes the shadow. Throws Failure; `remove` then deletes whatever was created.
    virtual void commit(const Limits& /*limits*/) {}
    /// The same, for a provider that can report during the call that the shadow is taken.
    virtual void commitWithin(const std::shared_ptr<CaptureWindow>& window) { commit(window->untilTaken()); }
    /// Scopes `file` and `rolling`: captures one database that is in backup mode. A database that makes no progress for
    /// the database budget is skipped; each high-water mark counts as progress. An exception fails the session.
    [[nodiscard]] virtual CallStatus captureFile(const DatabaseSpec& /*spec*/, HighWaterMarks& /*marks*/,
                                                 std::uint64_t /*sizeBytes*/, const Limits& /*limits*/) {
        return {};
    }
    /// Collects what is known about the shadow only after the window. Throws Failure if the shadow is unusable.
    virtual void afterWindow(const Limits& /*limits*/) {}
    /// Makes the captured files durable. Outside the window. Throws Failure.
    virtual void makeDurable() {}
    /// Reports to the participants (VSS writers) that the backup succeeded. `deletedShadows` were deleted by the
    /// caller, so their absence is not an error. Called at most once, before `remove` or `keep`. Throws Failure.
    virtual void complete(const std::vector<std::string>& /*deletedShadows*/, const Limits& /*limits*/) {}
    /// Instead of `complete`: the backup succeeded, but the participants hear neither success nor failure.
    virtual void leaveUntold() noexcept {}
    /// Releases everything except the shadow. Throws Failure.
    virtual void keep() {}
    /// Removes everything this provider created. Idempotent. Throws Failure if something could not be removed.
    virtual void remove() = 0;
};

}  // namespace domino_vss::engine
