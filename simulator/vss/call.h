#pragma once
// Around every method: latency, the faults that are set for it, the log, and no exception across the interface.

#include <windows.h>

#include <chrono>
#include <new>
#include <optional>
#include <string>
#include <string_view>

#include "abi.h"

namespace vss_simulator {

class Operation;

/** Ends the call with this result. */
struct Failure {
    HRESULT result;
};

class CallRecord {
public:
    /** `method` as `Interface::Method`; faults and latencies are named by the method alone, plus `.async`. */
    explicit CallRecord(std::string_view method);
    /** Refuses a thread that is in no COM apartment. Sleeps the latency; answers the result of the fault that is due.
     * Does not return for `die` and a synchronous `hang`. */
    std::optional<HRESULT> enter();
    /** On a thread of the stand-in's own, which is in no apartment. */
    std::optional<HRESULT> enterAsync(Operation& operation);
    HRESULT leave(HRESULT result) const;

private:
    std::string method_;
    std::chrono::steady_clock::time_point start_;
};

/** The HRESULT of the exception being handled. */
HRESULT currentExceptionResult();

template <class Body>
HRESULT call(std::string_view method, Body body) noexcept {
    try {
        CallRecord record(method);
        try {
            if (const auto fault = record.enter()) return record.leave(*fault);
            return record.leave(body());
        } catch (...) {
            return record.leave(currentExceptionResult());
        }
    } catch (...) {
        return currentExceptionResult();
    }
}

template <class Body>
HRESULT asyncCall(std::string_view method, Operation& operation, Body body) noexcept {
    try {
        CallRecord record(std::string(method) + ".async");
        try {
            if (const auto fault = record.enterAsync(operation)) return record.leave(*fault);
            return record.leave(body());
        } catch (...) {
            return record.leave(currentExceptionResult());
        }
    } catch (...) {
        return currentExceptionResult();
    }
}

/** `fault.phase.<phase>` and `latency.phase.<phase>` of DoSnapshotSet: sleeps, then throws the fault that is due. */
void passPhase(std::string_view phase, Operation& operation);

}  // namespace vss_simulator
