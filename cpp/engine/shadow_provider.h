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

/// How a provider captures, which decides the order inside the window.
enum class CaptureScope : std::uint8_t {
    set,      ///< all databases started → one commit for everything → all stopped
    file,     ///< all databases started → per file: capture, stop
    rolling,  ///< per database: start, capture with high-water marks, stop, drain, end; few at a time
};

/// Makes the shadow. One per session. `captureFile` is called on shard threads, everything else on a thread of its own,
/// never two at once. What can hang is noted first (CurrentCall), so that it can be named. Where limits are given, a
/// provider ends by itself soon after them, unless one of its calls hangs.
///
///   begin → prepare → commit → afterWindow → makeDurable → [complete | leaveUntold] → remove | keep
class ShadowProvider {
public:
    ShadowProvider() = default;
    ShadowProvider(const ShadowProvider&) = delete;
    ShadowProvider& operator=(const ShadowProvider&) = delete;
    virtual ~ShadowProvider() = default;

    [[nodiscard]] virtual CaptureScope scope() const noexcept = 0;
    /// Before everything else, on the thread that makes all calls but `captureFile`, so that the commit is the
    /// provider's one call and nothing else. The scope is destroyed on that thread, as the last. Throws Failure.
    [[nodiscard]] virtual std::unique_ptr<ThreadScope> enterThread() { return nullptr; }
    /// Before any database is open: slow work that takes no lock that others wait for. Throws Failure.
    virtual void begin(const Limits& /*limits*/) {}
    /// All slow work that needs no frozen database: directories, flushing volumes. Throws Failure.
    virtual void prepare(std::span<const DatabaseSpec> databases, const Limits& limits) = 0;
    /// Scope `set`: the shadow itself. Throws Failure; whatever it made until then is removed by `remove`.
    virtual void commit(const Limits& /*limits*/) {}
    /// The same for a provider that learns while it is at it that the shadow is taken, and says so.
    virtual void commitWithin(const std::shared_ptr<CaptureWindow>& window) { commit(window->untilTaken()); }
    /// Scopes `file` and `rolling`: one database that is in backup mode. One that makes no progress for the budget of a
    /// database is left out: each mark counts as progress. What it throws ends the session.
    [[nodiscard]] virtual CallStatus captureFile(const DatabaseSpec& /*spec*/, HighWaterMarks& /*marks*/,
                                                 std::uint64_t /*sizeBytes*/, const Limits& /*limits*/) {
        return {};
    }
    /// Learns what is known of the shadow only after the window. Throws Failure when it is no good after all.
    virtual void afterWindow(const Limits& /*limits*/) {}
    /// Makes what was captured durable; outside the window. Throws Failure.
    virtual void makeDurable() {}
    /// The backup has succeeded: those who took part are told. `deletedShadows` are gone because the caller has deleted
    /// them. At most once, before `remove`. Throws Failure.
    virtual void complete(const std::vector<std::string>& /*deletedShadows*/, const Limits& /*limits*/) {}
    /// Instead: the backup has succeeded, and those who took part are not told. Nor are they told that it failed.
    virtual void leaveUntold() noexcept {}
    /// Lets go of everything but the shadow. Throws Failure.
    virtual void keep() {}
    /// Removes everything this provider made. Idempotent. Throws Failure when something stays.
    virtual void remove() = 0;
};

}  // namespace domino_vss::engine
