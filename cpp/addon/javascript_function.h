#pragma once

#include <napi.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>

namespace domino_vss::addon {

/// A function of JavaScript, callable from any thread until the environment ends. Whoever holds a thread-safe function
/// must not touch it any more then: the environment has freed it.
class JavaScriptFunction {
public:
    /// Whether the event loop of the environment goes on for its sake.
    enum class EventLoop : std::uint8_t { kept, released };

    static std::shared_ptr<JavaScriptFunction> make(Napi::Env env, const Napi::Function& function, const char* name,
                                                    EventLoop loop) {
        auto made = std::make_shared<JavaScriptFunction>();
        made->function_ = Napi::ThreadSafeFunction::New(env, function, name, 0, 1, [made](Napi::Env) {
            const std::lock_guard lock(made->mutex_);
            made->closed_ = true;
        });
        if (loop == EventLoop::released) made->function_.Unref(env);
        return made;
    }

    /// Has JavaScript call it, with the arguments that `arguments` makes there: a vector of values. Never waits.
    template <typename Arguments>
    void call(Arguments arguments) {
        const std::lock_guard lock(mutex_);
        if (closed_) return;
        function_.NonBlockingCall([arguments = std::move(arguments)](Napi::Env env, Napi::Function function) {
            function.Call(arguments(env));
        });
    }

    /// It is not called any more.
    void release() {
        const std::lock_guard lock(mutex_);
        if (!closed_) function_.Release();
        closed_ = true;
    }

private:
    std::mutex mutex_;
    bool closed_ = false;                // guarded by mutex_
    Napi::ThreadSafeFunction function_;  // guarded by mutex_
};

}  // namespace domino_vss::addon
