#pragma once

#include <functional>
#include <memory>

#include "engine/session_core.h"
#include "system/abandonable_thread.h"

namespace domino_vss::engine {

/// Makes all calls to a provider on a dedicated thread. These calls cannot be interrupted, but databases must leave
/// backup mode, and the process must be able to exit, even if one of them hangs. All member functions are for the
/// control thread.
class ProviderThread {
public:
    /// Must own all its data: it may still run after its caller has stopped waiting.
    using Step = std::function<void(ShadowProvider& provider)>;

    explicit ProviderThread(std::shared_ptr<SessionCore> core);
    ProviderThread(const ProviderThread&) = delete;
    ProviderThread& operator=(const ProviderThread&) = delete;
    /// Waits for the thread unless a step is still running.
    ~ProviderThread();

    /// Starts a step. Throws ERR_SHADOW_HANGS if an earlier one has not returned.
    void post(Step step);
    /// Returns true when the step has ended, false when the limits are exceeded first. Rethrows the step's Failure.
    [[nodiscard]] bool endsWithin(const Limits& limits);
    /// For a commit: returns true as soon as the shadow is taken, even if the step is still running.
    [[nodiscard]] bool takesWithin(const CaptureWindow& window);
    /// Waits after the limits have been exceeded. A provider ends by itself soon after its limits, so this waits as
    /// long as calls keep returning. If one call does not return within `grace`, the step is given up with
    /// ERR_SHADOW_HANGS; if that call returns later, the thread runs `afterwards`. Rethrows the step's Failure.
    void awaitEnd(std::chrono::milliseconds grace, Step afterwards);
    /// Throws ERR_SHADOW_HANGS while an abandoned step, or its `afterwards`, is still running.
    void requireFree() const;

private:
    struct Work;  // shared with the thread, which may outlive the session

    std::shared_ptr<Work> work_;
    AbandonableThread thread_;
};

}  // namespace domino_vss::engine
