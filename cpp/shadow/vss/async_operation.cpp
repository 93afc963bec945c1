#include "shadow/vss/async_operation.h"

#include <algorithm>
#include <string>

#include "shadow/vss/com_failure.h"
#include "shadow/vss/vss_codes.h"

namespace domino_vss::vss {

using engine::Clock;

namespace {

/// How late a cancellation may be noticed. The end of the operation ends the wait at once.
constexpr DWORD kPauseMs = 10;
/// How long to wait for an operation whose status cannot be queried.
constexpr std::chrono::seconds kUnknownPatience{2};

constexpr const char* kQueryStatus = "IVssAsync::QueryStatus";

}  // namespace

HRESULT AsyncOperation::status() {
    // Only VSS may set FINISHED; an untouched variable must not look like success.
    HRESULT result = E_UNEXPECTED;
    CurrentCall::note(kQueryStatus, operation_);
    const HRESULT asked = async_->QueryStatus(&result, nullptr);
    if (SUCCEEDED(asked)) return result;
    Failure failure = comFailure(asked, kQueryStatus, phase_);
    failure.text += std::string("; it is not known whether ") + operation_ + " has ended";
    throw Failure(failure);
}

bool AsyncOperation::runs() noexcept {
    HRESULT result = E_UNEXPECTED;
    CurrentCall::note(kQueryStatus, operation_);
    return async_ && SUCCEEDED(async_->QueryStatus(&result, nullptr)) &&
           static_cast<std::uint32_t>(result) == result::kAsyncPending;
}

bool AsyncOperation::pending() {
    const HRESULT result = status();
    switch (static_cast<std::uint32_t>(result)) {
        case result::kAsyncPending: return true;
        case result::kAsyncFinished: return false;
        // Includes VSS_S_ASYNC_CANCELLED; operations that we cancel ourselves are not queried here.
        default: throw comFailure(result, operation_, phase_);
    }
}

void AsyncOperation::pause() {
    // The result of Wait says nothing about the operation. If Wait returned at once although the operation is pending,
    // sleep here. Do not sleep if the operation has just ended: the shortest sleep may be a whole tick of the system
    // clock, while databases are in backup mode.
    const auto before = Clock::now();
    CurrentCall::note("IVssAsync::Wait", operation_);
    static_cast<void>(async_->Wait(kPauseMs));
    const bool waited = Clock::now() - before >= std::chrono::microseconds(100);
    if (!waited && static_cast<std::uint32_t>(status()) == result::kAsyncPending) ::Sleep(1);
}

bool AsyncOperation::awaitWithin(const engine::Limits& limits) {
    return endsWithin(limits);
}

void AsyncOperation::await(const engine::Limits& limits, std::chrono::milliseconds cancelPatience) {
    awaitOrCancel(limits, cancelPatience);
}

void AsyncOperation::await(const engine::CaptureWindow& window, std::chrono::milliseconds cancelPatience) {
    awaitOrCancel(window, cancelPatience);
}

template <typename Bounds>
bool AsyncOperation::endsWithin(const Bounds& bounds) {
    while (pending()) {
        if (bounds.exceeded() != nullptr) return false;
        pause();
    }
    return true;
}

template <typename Bounds>
void AsyncOperation::awaitOrCancel(const Bounds& bounds, std::chrono::milliseconds cancelPatience) {
    try {
        if (endsWithin(bounds)) return;
    } catch (const Failure& failure) {
        // A failed operation has ended. One whose status cannot be queried may still be running and must not collide
        // with later calls.
        if (failure.operation == kQueryStatus)
            cancel(std::min<std::chrono::milliseconds>(cancelPatience, kUnknownPatience));
        throw;
    }
    cancel(cancelPatience);
    Failure failure(bounds.exceeded(), phase_, std::string("gave up waiting for ") + operation_);
    failure.operation = operation_;
    throw Failure(failure);
}

void AsyncOperation::cancel(std::chrono::milliseconds patience) noexcept {
    CurrentCall::note("IVssAsync::Cancel", operation_);
    static_cast<void>(async_->Cancel());
    const auto patienceEnd = Clock::now() + patience;
    while (Clock::now() < patienceEnd) {
        HRESULT result = E_UNEXPECTED;
        CurrentCall::note(kQueryStatus, operation_);
        const bool known = SUCCEEDED(async_->QueryStatus(&result, nullptr));
        if (known && static_cast<std::uint32_t>(result) != result::kAsyncPending) return;
        CurrentCall::note("IVssAsync::Wait", operation_);
        static_cast<void>(async_->Wait(kPauseMs));
        ::Sleep(1);
    }
}

}  // namespace domino_vss::vss
