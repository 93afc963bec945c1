#pragma once

#include "engine/capture_window.h"
#include "engine/deadline.h"
#include "shadow/vss/headers.h"
#include "system/failure.h"

namespace domino_vss::vss {

/// An operation that VSS works on by itself.
class AsyncOperation {
public:
    /// `operation` names it in failures; static storage.
    AsyncOperation(const char* operation, Phase phase) noexcept : operation_(operation), phase_(phase) {}

    /// For the method that starts it.
    [[nodiscard]] IVssAsync** put() noexcept { return async_.ReleaseAndGetAddressOf(); }

    /// Waits until it has finished. When the limits are exceeded, or VSS cannot be asked whether it has, it is
    /// cancelled and waited for `cancelPatience` at most (to cancel is only a request). Throws Failure.
    void await(const engine::Limits& limits, std::chrono::milliseconds cancelPatience = std::chrono::seconds(2));
    void await(const engine::CaptureWindow& window, std::chrono::milliseconds cancelPatience);

    /// The same for an operation that cannot be cancelled: whether it has finished within the limits. Throws Failure.
    [[nodiscard]] bool awaitWithin(const engine::Limits& limits);

    /// Whether VSS still works on it, as far as it says so; false when it never began.
    [[nodiscard]] bool runs() noexcept;

private:
    template <typename Bounds>
    void awaitOrCancel(const Bounds& bounds, std::chrono::milliseconds cancelPatience);
    template <typename Bounds>
    [[nodiscard]] bool endsWithin(const Bounds& bounds);
    /// Whether it still runs; throws when it failed.
    [[nodiscard]] bool pending();
    [[nodiscard]] HRESULT status();
    void pause();
    /// Asks it to end, and waits for that.
    void cancel(std::chrono::milliseconds patience) noexcept;

    ComPtr<IVssAsync> async_;
    const char* operation_;
    Phase phase_;
};

}  // namespace domino_vss::vss
