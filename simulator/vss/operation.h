#pragma once
// An asynchronous operation: a thread does the work, and the caller watches it through IVssAsync, which it may release
// at any time.

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
 * Runs `work` on a thread that is never joined: its creator may be gone before it ends, and the module is never
 * unloaded.
 */
void runOnOwnThread(std::function<void()> work);

class Operation {
public:
    /**
     * Calls `body` on a separate thread. Its return value (S_OK: finished) or exception is the result. For an error or
     * cancellation, `failed` is called on that thread before the result becomes visible.
     */
    static std::shared_ptr<Operation> start(std::string method, std::function<HRESULT(Operation&)> body,
                                            std::function<void()> failed);

    /** Sleeps; throws Failure(VSS_S_ASYNC_CANCELLED) when cancelled. A negative time means until cancelled. */
    void pause(std::int64_t milliseconds);

    /** VSS_S_ASYNC_PENDING until the work has ended. */
    HRESULT status() const;
    /** Returns the status afterwards. */
    HRESULT wait(DWORD milliseconds) const;
    /** Does not wait. */
    void requestCancel();

private:
    mutable std::mutex mutex_;
    mutable std::condition_variable changed_;
    HRESULT status_ = VSS_S_ASYNC_PENDING;
    bool cancelRequested_ = false;
};

/** `cancellable`: whether Cancel has any effect, whatever the setting says. */
Ref<abi::IVssAsync> makeAsync(std::shared_ptr<Operation> operation, bool cancellable);

}  // namespace vss_simulator
