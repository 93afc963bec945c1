#pragma once
// An asynchronous operation: its thread works, the caller watches it through IVssAsync and may let go of that at any
// time.

#include <windows.h>

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "abi.h"
#include "com_object.h"

namespace vss_simulator {

/**
 * On a thread that is never joined: whoever has started it may be gone before it ends, and the module is never
 * unloaded.
 */
void runOnOwnThread(std::function<void()> work);

class Operation {
public:
    /**
     * Calls `body` on a thread of its own; what it returns (S_OK: finished) or throws is the result.
     * `failed` is called there, too, before anybody sees the result, when that is an error or the cancellation.
     */
    static std::shared_ptr<Operation> start(std::string method, std::function<HRESULT(Operation&)> body,
                                            std::function<void()> failed);

    /** Sleeps, or throws Failure(VSS_S_ASYNC_CANCELLED) once cancelled. Negative: until cancelled. */
    void pause(std::int64_t milliseconds);

    /** VSS_S_ASYNC_PENDING until the work is over. */
    HRESULT status() const;
    /** Answers the status afterwards. */
    HRESULT wait(DWORD milliseconds) const;
    /** Does not wait. */
    void requestCancel();

private:
    mutable std::mutex mutex_;
    mutable std::condition_variable changed_;
    HRESULT status_ = VSS_S_ASYNC_PENDING;
    bool cancelRequested_ = false;
};

/** `cancellable`: whether Cancel does anything, whatever the setting says. */
Ref<abi::IVssAsync> makeAsync(std::shared_ptr<Operation> operation, bool cancellable);

}  // namespace vss_simulator
