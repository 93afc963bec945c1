#pragma once

#include <napi.h>

#include <cstdint>
#include <memory>
#include <mutex>
#include <utility>

namespace domino_vss::addon {

/// A JavaScript function that can be called from any thread until the environment ends. The environment then frees the
/// thread-safe function, so it must not be used any more.
class JavaScriptFunction {
public:
    /// Whether the function keeps the environment's event loop alive.
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

    /// Queues a call on the JavaScript thread. `arguments` runs there and returns the vector of arguments. Never waits.
    template <typename Arguments>
    void call(Arguments arguments) {
        const std::lock_guard lock(mutex_);
        if (closed_) return;
        function_.NonBlockingCall([arguments = std::move(arguments)](Napi::Env env, Napi::Function function) {
            function.Call(arguments(env));
        });
    }

    /// Ends the use of the function; later calls are ignored.
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
