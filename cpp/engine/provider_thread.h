#pragma once

#include <functional>
#include <memory>

#include "engine/session_core.h"
#include "system/abandonable_thread.h"

namespace domino_vss::engine {

/// Makes all calls of a provider, on a thread of its own: none of them can be interrupted, and databases must come out
/// of backup mode, and a process must be able to end, even while one of them hangs. All functions are for the control
/// thread.
class ProviderThread {
public:
    /// Shares nothing with its caller: it may still run when nobody waits for it any more.
    using Step = std::function<void(ShadowProvider& provider)>;

    explicit ProviderThread(std::shared_ptr<SessionCore> core);
    ProviderThread(const ProviderThread&) = delete;
    ProviderThread& operator=(const ProviderThread&) = delete;
    /// Waits for the thread, unless it hangs.
    ~ProviderThread();

    /// Begins a step. Throws ERR_SHADOW_HANGS while an earlier one has not returned.
    void post(Step step);
    /// Whether the step has ended; false when the limits were exceeded first. Rethrows the step's Failure.
    [[nodiscard]] bool endsWithin(const Limits& limits);
    /// The same for a commit: whether the shadow is taken, if the step goes on or not.
    [[nodiscard]] bool takesWithin(const CaptureWindow& window);
    /// After its limits: gives the step up when one of its calls does not return for `grace`. As long as one call
    /// follows another it is waited for: a provider ends by itself. Throws ERR_SHADOW_HANGS then, else the step's
    /// Failure. When the call returns nevertheless, `afterwards` is the next step.
    void awaitEnd(std::chrono::milliseconds grace, Step afterwards);
    /// Throws ERR_SHADOW_HANGS while a step that was given up, or what comes afterwards, has not ended.
    void requireFree() const;

private:
    struct Work;  // shared with the thread, which may outlive the session

    std::shared_ptr<Work> work_;
    AbandonableThread thread_;
};

}  // namespace domino_vss::engine
