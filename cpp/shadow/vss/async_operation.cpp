#include "shadow/vss/async_operation.h"

#include <algorithm>
#include <string>

#include "shadow/vss/com_failure.h"
#include "shadow/vss/vss_codes.h"

namespace domino_vss::vss {

using engine::Clock;

namespace {

/// How late a cancellation may be noticed. The end of the operation wakes the wait at once.
constexpr DWORD kPauseMs = 10;
/// How long an operation is left to end by itself when VSS does not tell whether it has.
constexpr std::chrono::seconds kUnknownPatience{2};

constexpr const char* kQueryStatus = "IVssAsync::QueryStatus";

}  // namespace

HRESULT AsyncOperation::status() {
    // Anything else than FINISHED must come from VSS: an untouched variable would read as success.
    HRESULT result = E_UNEXPECTED;
    CurrentCall::note(kQueryStatus, operation_);
    const HRESULT asked = async_->QueryStatus(&result, nullptr);
    if (SUCCEEDED(asked)) return result;
    Failure failure = comFailure(asked, kQueryStatus, phase_);
    failure.text += std::string("; whether ") + operation_ + " has ended is not known";
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
        // Also VSS_S_ASYNC_CANCELLED: what we cancel ourselves is not asked about here.
        default: throw comFailure(result, operation_, phase_);
    }
}

void AsyncOperation::pause() {
    // What Wait returns says nothing of the operation; and where it does not wait, we do. Not when the operation has
    // just ended: the shortest sleep may be as long as a tick of the system's clock, and databases are in backup mode.
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
        // What has failed has ended. What cannot be asked about may still be at work, and what comes next must not meet
        // it.
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
