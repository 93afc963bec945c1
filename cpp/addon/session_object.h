#pragma once

#include <napi.h>

#include <chrono>
#include <memory>

#include "backup/session.h"
#include "shadow/hook_provider.h"

namespace domino_vss::addon {

/// `NativeSession` of lib/native.ts: converts arguments and hands them to the engine.
class SessionObject final : public Napi::ObjectWrap<SessionObject> {
public:
    [[nodiscard]] static Napi::Function define(Napi::Env env);
    explicit SessionObject(const Napi::CallbackInfo& info);

private:
    using Step = void (backup::Session::*)(std::chrono::milliseconds, backup::Session::Completion);

    void add(const Napi::CallbackInfo& info);
    Napi::Value open(const Napi::CallbackInfo& info);
    Napi::Value prepare(const Napi::CallbackInfo& info);
    Napi::Value capture(const Napi::CallbackInfo& info);
    Napi::Value close(const Napi::CallbackInfo& info);
    void cancel(const Napi::CallbackInfo& info);
    void settleShadow(const Napi::CallbackInfo& info);
    Napi::Value progress(const Napi::CallbackInfo& info);
    Napi::Value results(const Napi::CallbackInfo& info);

    std::shared_ptr<backup::Session> session_;
    shadow::HookProvider* hook_ = nullptr;  // owned by the session
};

/// Aborts sessions and waits for them, within bounds. Returns how many were still open.
[[nodiscard]] std::uint32_t abortSessionsOf(napi_env env);
[[nodiscard]] std::uint32_t abortAllSessions();

}  // namespace domino_vss::addon
