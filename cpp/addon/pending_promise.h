#pragma once

#include <napi.h>

#include <functional>
#include <memory>

#include "system/current_call.h"
#include "system/failure.h"

namespace domino_vss::addon {

/// A promise that another thread settles, once. JavaScript is entered on its own thread only; when the environment is
/// going down the answer is dropped.
class PendingPromise {
public:
    /// Makes the value on the JavaScript thread.
    using MakeValue = std::function<Napi::Value(Napi::Env)>;

    /// On the JavaScript thread. Keeps the event loop alive until it is settled.
    PendingPromise(Napi::Env env, const char* name);
    PendingPromise(const PendingPromise&) = delete;
    PendingPromise& operator=(const PendingPromise&) = delete;
    ~PendingPromise();

    [[nodiscard]] Napi::Promise promise() const { return promise_; }
    /// On the JavaScript thread: gives the promise the functions of a `NativeRequest`, for a caller who may not want to
    /// wait for ever.
    void makeAbandonable();
    /// What the thread that settles it has under way.
    [[nodiscard]] CurrentCall& currentCall() noexcept;

    void resolve(MakeValue value);
    void reject(Failure&& failure);

private:
    struct Settlement;
    struct Shared;
    /// What the thread-safe function holds: one reference, given up when the environment closes it.
    using Context = std::shared_ptr<Shared>;
    static void settle(Napi::Env env, Napi::Function callback, Context* context, Settlement* settlement);
    using Function = Napi::TypedThreadSafeFunction<Context, Settlement, &PendingPromise::settle>;

    void send();

    Napi::Promise promise_;  // JavaScript thread only
    Context shared_;
    std::unique_ptr<Settlement> settlement_;  // made at the start: an answer must not fail for want of memory
    Function function_;
};

/// Runs `work` on a thread of its own: the waits here are long, and Node's pool has only four threads. It settles the
/// promise; whatever it throws rejects it.
[[nodiscard]] Napi::Promise requestOnThread(Napi::Env env, const char* name, std::function<void(PendingPromise&)> work);
/// The same for work whose result settles the promise.
[[nodiscard]] Napi::Promise runOnThread(Napi::Env env, const char* name,
                                        std::function<PendingPromise::MakeValue()> work);

}  // namespace domino_vss::addon
