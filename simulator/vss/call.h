#pragma once
// Wraps every method: latency, faults, the log, and conversion of exceptions, which must not cross the interface.

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
    /**
     * `method` is `Interface::Method`; faults and latencies use only the method's name, plus `.async` for the
     * asynchronous part.
     */
    explicit CallRecord(std::string_view method);
    /**
     * Refuses a thread that is in no COM apartment. Sleeps for the latency. Returns the result of a fault that is due.
     * Does not return for `die` and a synchronous `hang`.
     */
    std::optional<HRESULT> enter();
    /** For threads of the stand-in, which are in no apartment. */
    std::optional<HRESULT> enterAsync(Operation& operation);
    HRESULT leave(HRESULT result) const;

private:
    std::string method_;
    std::chrono::steady_clock::time_point start_;
};

/** The HRESULT for the current exception. */
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

/**
 * Applies `fault.phase.<phase>` and `latency.phase.<phase>` of DoSnapshotSet: sleeps, then throws the fault that is
 * due.
 */
void passPhase(std::string_view phase, Operation& operation);

}  // namespace vss_simulator
