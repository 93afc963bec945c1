#pragma once

#include "engine/capture_window.h"
#include "engine/deadline.h"
#include "shadow/vss/headers.h"
#include "system/failure.h"

namespace domino_vss::vss {

/// An asynchronous operation of VSS.
class AsyncOperation {
public:
    /// `operation` is its name in failures; static storage.
    AsyncOperation(const char* operation, Phase phase) noexcept : operation_(operation), phase_(phase) {}

    /// The output parameter for the method that starts the operation.
    [[nodiscard]] IVssAsync** put() noexcept { return async_.ReleaseAndGetAddressOf(); }

    /// Waits until the operation has finished. If the limits are exceeded or its status cannot be queried, cancels it
    /// and waits up to `cancelPatience` for its end, because cancelling is only a request. Throws Failure.
    void await(const engine::Limits& limits, std::chrono::milliseconds cancelPatience = std::chrono::seconds(2));
    void await(const engine::CaptureWindow& window, std::chrono::milliseconds cancelPatience);

    /// The same for an operation that cannot be cancelled. Returns false if the limits are exceeded first. Throws
    /// Failure.
    [[nodiscard]] bool awaitWithin(const engine::Limits& limits);

    /// Whether VSS reports it as pending; false if it was never started.
    [[nodiscard]] bool runs() noexcept;

private:
    template <typename Bounds>
    void awaitOrCancel(const Bounds& bounds, std::chrono::milliseconds cancelPatience);
    template <typename Bounds>
    [[nodiscard]] bool endsWithin(const Bounds& bounds);
    /// Whether it is pending. Throws if it failed.
    [[nodiscard]] bool pending();
    [[nodiscard]] HRESULT status();
    void pause();
    /// Requests cancellation and waits for the end.
    void cancel(std::chrono::milliseconds patience) noexcept;

    ComPtr<IVssAsync> async_;
    const char* operation_;
    Phase phase_;
};

}  // namespace domino_vss::vss
