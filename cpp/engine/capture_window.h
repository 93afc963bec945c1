#pragma once

#include <atomic>
#include <functional>
#include <utility>

#include "engine/deadline.h"

namespace domino_vss::engine {

/// The limits of a commit. Until the shadow is taken databases wait for it, and what counts is the window; what a
/// commit does afterwards holds nobody up. Shared by the control thread, the thread of the provider, and whoever learns
/// first that the shadow is taken, which may outlive the session.
class CaptureWindow {
public:
    /// `wake` is called once, by whoever tells it.
    CaptureWindow(Limits untilTaken, Limits afterwards, std::function<void()> wake)
        : untilTaken_(std::move(untilTaken)), afterwards_(std::move(afterwards)), wake_(std::move(wake)) {}

    [[nodiscard]] const Limits& untilTaken() const noexcept { return untilTaken_; }
    [[nodiscard]] const char* exceeded() const noexcept {
        return isTaken() ? afterwards_.exceeded() : untilTaken_.exceeded();
    }

    /// Nothing that is written from now on gets into the shadow. From any thread.
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
