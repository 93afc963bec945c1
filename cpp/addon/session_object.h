#pragma once

#include <napi.h>

#include <chrono>
#include <memory>

#include "engine/session.h"
#include "shadow/hook_provider.h"
#include "shadow/vss/writer/prepared_backup.h"

namespace domino_vss::vss {
class VssProvider;
}

namespace domino_vss::addon {

/// `NativeSession` of lib/native/session.ts: converts arguments and calls the engine.
class SessionObject final : public Napi::ObjectWrap<SessionObject> {
public:
    [[nodiscard]] static Napi::Function define(Napi::Env env);
    explicit SessionObject(const Napi::CallbackInfo& info);

    /// Set for a session with the provider `writer`, whose steps are driven by another requester's snapshot; otherwise
    /// nullptr.
    [[nodiscard]] const std::shared_ptr<vss::PreparedBackup>& preparedBackup() const noexcept { return prepared_; }

private:
    void add(const Napi::CallbackInfo& info);
    Napi::Value open(const Napi::CallbackInfo& info);
    Napi::Value prepare(const Napi::CallbackInfo& info);
    Napi::Value capture(const Napi::CallbackInfo& info);
    Napi::Value close(const Napi::CallbackInfo& info);
    void renewLease(const Napi::CallbackInfo& info);
    void cancel(const Napi::CallbackInfo& info);
    void settleShadow(const Napi::CallbackInfo& info);
    void unlock(const Napi::CallbackInfo& info);
    Napi::Value progress(const Napi::CallbackInfo& info);
    Napi::Value results(const Napi::CallbackInfo& info);
    Napi::Value failures(const Napi::CallbackInfo& info);
    Napi::Value stuck(const Napi::CallbackInfo& info);
    Napi::Value vssReport(const Napi::CallbackInfo& info);
    Napi::Value vssWriters(const Napi::CallbackInfo& info);
    Napi::Value vssComponentsDocument(const Napi::CallbackInfo& info);

    std::shared_ptr<vss::PreparedBackup> prepared_;
    std::shared_ptr<engine::Session> session_;
    shadow::HookProvider* hook_ = nullptr;  // owned by the session
#ifdef _WIN32
    vss::VssProvider* vss_ = nullptr;  // owned by the session
#endif
};

struct AbortOutcome {
    std::uint32_t abortedSessions = 0;     ///< that were still open
    std::uint32_t unansweredSessions = 0;  ///< of these, those that did not answer in time
    std::uint32_t stuckDatabases = 0;      ///< that may still be in backup mode
};

/// Aborts sessions and waits for them, up to ten seconds in total.
[[nodiscard]] AbortOutcome abortSessionsOf(napi_env env);
[[nodiscard]] AbortOutcome abortAllSessions();

}  // namespace domino_vss::addon
