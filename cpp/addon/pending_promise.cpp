#include "addon/pending_promise.h"

#include <mutex>
#include <optional>
#include <system_error>
#include <thread>
#include <utility>

#include "addon/records.h"

namespace domino_vss::addon {

struct PendingPromise::Settlement {
    MakeValue value;
    std::optional<Failure> failure;
};

struct PendingPromise::Shared {
    explicit Shared(Napi::Env env) : deferred(Napi::Promise::Deferred::New(env)) {}

    Napi::Promise::Deferred deferred;  // JavaScript thread only
    std::mutex mutex;
    bool closed = false;  // guarded by mutex: the environment has ended and with it the function
};

PendingPromise::PendingPromise(Napi::Env env, const char* name)
    : shared_(std::make_shared<Shared>(env)),
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

void PendingPromise::resolve(MakeValue value) {
    send(std::make_unique<Settlement>(Settlement{std::move(value), std::nullopt}));
}

void PendingPromise::reject(const Failure& failure) {
    send(std::make_unique<Settlement>(Settlement{{}, failure}));
}

void PendingPromise::send(std::unique_ptr<Settlement> settlement) {
    // The environment frees the function when it ends, whoever still holds it: never touch it after that.
    const std::lock_guard lock(shared_->mutex);
    if (shared_->closed || function_.NonBlockingCall(settlement.get()) != napi_ok) return;
    static_cast<void>(settlement.release());
    function_.Release();
}

void PendingPromise::settle(Napi::Env env, Napi::Function /*callback*/, Context* context, Settlement* settlement) {
    const std::unique_ptr<Settlement> owned(settlement);
    if (env == nullptr) return;
    const Napi::HandleScope scope(env);
    try {
        if (owned->failure)
            (*context)->deferred.Reject(toObject(env, *owned->failure));
        else
            (*context)->deferred.Resolve(owned->value(env));
    } catch (const Napi::Error&) {
        // The environment ends while we settle; nobody is left to hear it.
    }
}

Napi::Promise runOnThread(Napi::Env env, const char* name, std::function<PendingPromise::MakeValue()> work) {
    const auto pending = std::make_shared<PendingPromise>(env, name);
    // The thread does not end before it is detached: the thread library of mingw-w64 would give its record to another
    // thread while this one still uses it. A join that once failed with EDEADLK fits that.
    const auto detaching = std::make_shared<std::mutex>();
    const std::lock_guard untilDetached(*detaching);
    try {
        std::thread([pending, detaching, work = std::move(work)] {
            { const std::lock_guard detached(*detaching); }
            try {
                pending->resolve(work());
            } catch (const Failure& failure) {
                pending->reject(failure);
            } catch (const std::exception& error) {
                pending->reject({code::kState, Phase::runtime, error.what()});
            }
        }).detach();
    } catch (const std::system_error& error) {
        pending->reject({code::kState, Phase::runtime, error.what()});
    }
    return pending->promise();
}

}  // namespace domino_vss::addon
