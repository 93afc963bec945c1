#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "engine/database.h"
#include "engine/deadline.h"

namespace domino_vss::engine {

/// How a provider captures, which decides the order inside the window.
enum class CaptureScope : std::uint8_t {
    set,      ///< all databases started → one commit for everything → all stopped
    file,     ///< all databases started → per file: capture, stop
    rolling,  ///< per database: start, capture with high-water marks, stop, drain, end; few at a time
};

/// Makes the shadow. One per session. `captureFile` is called on shard threads, `enterCommitThread` and `commit` on a
/// thread of their own, the rest on the control thread; never two at once, except `captureFile`.
///
///   begin → prepare → commit → afterWindow → makeDurable → [complete | leaveUntold] → remove | keep
class ShadowProvider {
public:
    ShadowProvider() = default;
    ShadowProvider(const ShadowProvider&) = delete;
    ShadowProvider& operator=(const ShadowProvider&) = delete;
    virtual ~ShadowProvider() = default;

    [[nodiscard]] virtual CaptureScope scope() const noexcept = 0;
    /// Before any database is open: slow work that takes no lock that others wait for. Throws Failure.
    virtual void begin(const Limits& /*limits*/) {}
    /// All slow work that needs no frozen database: directories, flushing volumes. Throws Failure.
    virtual void prepare(std::span<const DatabaseSpec> databases, const Limits& limits) = 0;
    /// Makes the thread that will call `commit` ready for it, so that the commit is the provider's one call and nothing
    /// else. The scope is destroyed on that thread, after the commit. Throws Failure.
    [[nodiscard]] virtual std::unique_ptr<ThreadScope> enterCommitThread() { return nullptr; }
    /// Scope `set`: the shadow itself. Throws Failure; whatever it made until then is removed by `remove`.
    virtual void commit(const Limits& /*limits*/) {}
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
