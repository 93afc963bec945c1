#pragma once

#include <napi.h>

#include <functional>
#include <memory>

#include "system/current_call.h"
#include "system/failure.h"

namespace domino_vss::addon {

/// A promise that another thread settles, once. JavaScript only runs on its own thread. If the environment is ending,
/// the result is dropped.
class PendingPromise {
public:
    /// Runs on the JavaScript thread.
    using MakeValue = std::function<Napi::Value(Napi::Env)>;

    /// Call on the JavaScript thread. Keeps the event loop alive until the promise is settled.
    PendingPromise(Napi::Env env, const char* name);
    PendingPromise(const PendingPromise&) = delete;
    PendingPromise& operator=(const PendingPromise&) = delete;
    ~PendingPromise();

    [[nodiscard]] Napi::Promise promise() const { return promise_; }
    /// Call on the JavaScript thread. Adds the functions of a `NativeRequest` to the promise, for a caller that may
    /// give up waiting.
    void makeAbandonable();
    /// The call that the settling thread is making.
    [[nodiscard]] CurrentCall& currentCall() noexcept;

    void resolve(MakeValue value);
    void reject(Failure&& failure);

private:
    struct Settlement;
    struct Shared;
    /// The context of the thread-safe function: one reference, released when the environment closes the function.
    using Context = std::shared_ptr<Shared>;
    static void settle(Napi::Env env, Napi::Function callback, Context* context, Settlement* settlement);
    using Function = Napi::TypedThreadSafeFunction<Context, Settlement, &PendingPromise::settle>;

    void send();

    Napi::Promise promise_;  // JavaScript thread only
    Context shared_;
    std::unique_ptr<Settlement> settlement_;  // allocated in advance, so that settling cannot fail for lack of memory
    Function function_;
};

/// Runs `work` on a separate thread, because Node's pool has only four threads and these waits are long. `work` settles
/// the promise; an exception rejects it.
[[nodiscard]] Napi::Promise requestOnThread(Napi::Env env, const char* name, std::function<void(PendingPromise&)> work);
/// The same for work whose result settles the promise.
[[nodiscard]] Napi::Promise runOnThread(Napi::Env env, const char* name,
                                        std::function<PendingPromise::MakeValue()> work);

}  // namespace domino_vss::addon
