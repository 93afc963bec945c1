#include "addon/pending_promise.h"

#include <exception>
#include <mutex>
#include <optional>
#include <utility>

#include "addon/records.h"
#include "system/abandonable_thread.h"

namespace domino_vss::addon {

struct PendingPromise::Settlement {
    MakeValue value;
    std::optional<Failure> failure;
};

struct PendingPromise::Shared {
    explicit Shared(Napi::Env env) : deferred(Napi::Promise::Deferred::New(env)) {}

    Napi::Promise::Deferred deferred;  // JavaScript thread only
    std::mutex mutex;
    bool closed = false;  // guarded by mutex: the environment has ended, and the function is freed
    CurrentCall currentCall;
};

PendingPromise::PendingPromise(Napi::Env env, const char* name)
    : shared_(std::make_shared<Shared>(env)),
      settlement_(std::make_unique<Settlement>()),
      function_(Function::New(
          env, name, 0, 1, std::make_unique<Context>(shared_).release(),
          [](Napi::Env, void*, Context* context) {
              const std::unique_ptr<Context> owned(context);
              const std::lock_guard lock((*owned)->mutex);
              (*owned)->closed = true;
          },
          static_cast<void*>(nullptr))) {
    promise_ = shared_->deferred.Promise();
}

PendingPromise::~PendingPromise() = default;

void PendingPromise::makeAbandonable() {
    const Napi::Env env = promise_.Env();
    const auto present = [shared = shared_](const Napi::CallbackInfo& info) {
        Napi::Object object = Napi::Object::New(info.Env());
        object["operation"] = shared->currentCall.function();
        object["subject"] = shared->currentCall.subject();
        object["elapsedMs"] = static_cast<double>(shared->currentCall.age().count());
        return object;
    };
    const auto abandon = [shared = shared_, function = function_](const Napi::CallbackInfo& info) mutable {
        const std::lock_guard lock(shared->mutex);
        if (!shared->closed) function.Unref(info.Env());
    };
    promise_.Set("present", Napi::Function::New(env, present));
    promise_.Set("abandon", Napi::Function::New(env, abandon));
}

CurrentCall& PendingPromise::currentCall() noexcept {
    return shared_->currentCall;
}

void PendingPromise::resolve(MakeValue value) {
    settlement_->value = std::move(value);
    send();
}

void PendingPromise::reject(Failure&& failure) {
    settlement_->failure = std::move(failure);
    send();
}

void PendingPromise::send() {
    // The environment frees the function when it ends, even if it is still referenced, so it must not be used after
    // that.
    const std::lock_guard lock(shared_->mutex);
    if (shared_->closed || function_.NonBlockingCall(settlement_.get()) != napi_ok) return;
    static_cast<void>(settlement_.release());
    function_.Release();
}

void PendingPromise::settle(Napi::Env env, Napi::Function /*callback*/, Context* context, Settlement* settlement) {
    const std::unique_ptr<Settlement> owned(settlement);
    if (env == nullptr) return;
    const Napi::HandleScope scope(env);
    const Napi::Promise::Deferred& deferred = (*context)->deferred;
    try {
        Napi::Value value;
        if (!owned->failure) {
            try {
                value = owned->value(env);
            } catch (...) {
                // A result that cannot be made, such as a string that is too long, must not leave the caller waiting.
                owned->failure = failureInFlight(Phase::idle);
            }
        }
        if (owned->failure)
            deferred.Reject(toObject(env, *owned->failure));
        else
            deferred.Resolve(value);
    } catch (const std::exception&) {
        // The environment is ending, so nobody receives the result; or there is no memory even for the failure.
    }
}

Napi::Promise requestOnThread(Napi::Env env, const char* name, std::function<void(PendingPromise&)> work) {
    const auto pending = std::make_shared<PendingPromise>(env, name);
    pending->makeAbandonable();
    try {
        // Nobody waits for the thread; its result goes to the promise.
        AbandonableThread(
            [pending, work = std::move(work)] {
                const CurrentCall::Watch watch(pending->currentCall());
                work(*pending);
            },
            [pending](Failure&& failure) { pending->reject(std::move(failure)); })
            .abandon();
    } catch (Failure& failure) {
        pending->reject(std::move(failure));
    }
    return pending->promise();
}

Napi::Promise runOnThread(Napi::Env env, const char* name, std::function<PendingPromise::MakeValue()> work) {
    return requestOnThread(env, name, [work = std::move(work)](PendingPromise& pending) { pending.resolve(work()); });
}

}  // namespace domino_vss::addon
