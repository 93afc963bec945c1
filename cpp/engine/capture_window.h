#pragma once

#include <atomic>
#include <functional>
#include <utility>

#include "engine/deadline.h"

namespace domino_vss::engine {

/// The limits of a commit. Until the shadow is taken, databases wait in backup mode and the window applies. After that,
/// only the deadline of the call does. Shared by the control thread, the provider thread and whatever reports that the
/// shadow is taken; the last of these may outlive the session.
class CaptureWindow {
public:
    /// `wake` runs once, on the first thread that calls `taken`.
    CaptureWindow(Limits untilTaken, Limits afterwards, std::function<void()> wake)
        : untilTaken_(std::move(untilTaken)), afterwards_(std::move(afterwards)), wake_(std::move(wake)) {}

    [[nodiscard]] const Limits& untilTaken() const noexcept { return untilTaken_; }
    [[nodiscard]] const char* exceeded() const noexcept {
        return isTaken() ? afterwards_.exceeded() : untilTaken_.exceeded();
    }

    /// The shadow is taken: later writes do not reach it. May be called from any thread.
    void taken() {
        if (!taken_.exchange(true)) wake_();
    }
    [[nodiscard]] bool isTaken() const noexcept { return taken_.load(); }

private:
    const Limits untilTaken_;
    const Limits afterwards_;
    const std::function<void()> wake_;
    std::atomic<bool> taken_ = false;
};

}  // namespace domino_vss::engine
