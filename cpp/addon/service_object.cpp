#include "addon/service_object.h"

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "addon/javascript_function.h"
#include "addon/pending_promise.h"
#include "service/service_control.h"
#include "service/service_host.h"
#include "service/service_registration.h"

namespace domino_vss::addon {

namespace {

std::string nameIn(const Napi::CallbackInfo& info) {
    return info[0].As<Napi::String>().Utf8Value();
}

PendingPromise::MakeValue undefined() {
    return [](Napi::Env env) { return env.Undefined(); };
}

Napi::Value query(const Napi::CallbackInfo& info) {
    return runOnThread(info.Env(), "domino-vss service", [name = nameIn(info)]() -> PendingPromise::MakeValue {
        return [status = service::queryService(name)](Napi::Env env) {
            Napi::Object object = Napi::Object::New(env);
            object["state"] = status.state;
            object["checkPoint"] = status.checkPoint;
            object["waitHintMs"] = status.waitHintMs;
            object["exitCode"] = status.exitCode;
            object["specificExitCode"] = status.specificExitCode;
            return object;
        };
    });
}

Napi::Value requestStop(const Napi::CallbackInfo& info) {
    return runOnThread(info.Env(), "domino-vss stop service", [name = nameIn(info)] {
        service::requestStop(name);
        return undefined();
    });
}

Napi::Value requestStart(const Napi::CallbackInfo& info) {
    return runOnThread(info.Env(), "domino-vss start service", [name = nameIn(info)] {
        service::requestStart(name);
        return undefined();
    });
}

Napi::Value runningDependents(const Napi::CallbackInfo& info) {
    return runOnThread(info.Env(), "domino-vss dependents", [name = nameIn(info)]() -> PendingPromise::MakeValue {
        return [names = service::runningDependents(name)](Napi::Env env) {
            Napi::Array array = Napi::Array::New(env, names.size());
            for (std::uint32_t i = 0; i < names.size(); ++i) array.Set(i, names[i]);
            return array;
        };
    });
}

std::string stringOf(const Napi::Object& object, const char* key) {
    return object.Get(key).As<Napi::String>().Utf8Value();
}

Napi::Value install(const Napi::CallbackInfo& info) {
    const auto options = info[0].As<Napi::Object>();
    const service::ServiceRegistration registration{stringOf(options, "name"), stringOf(options, "displayName"),
                                                    stringOf(options, "description"), stringOf(options, "command"),
                                                    stringOf(options, "account")};
    return runOnThread(info.Env(), "domino-vss install service", [registration] {
        service::installService(registration);
        return undefined();
    });
}

Napi::Value uninstall(const Napi::CallbackInfo& info) {
    return runOnThread(info.Env(), "domino-vss uninstall service", [name = nameIn(info)] {
        service::uninstallService(name);
        return undefined();
    });
}

/// The manager gives a process that it started 30 seconds to connect.
constexpr std::chrono::seconds kAnswerPatience{30};

Napi::Value host(const Napi::CallbackInfo& info) {
    // The service's work keeps the event loop alive; waiting for a stop request does not.
    const auto stop = JavaScriptFunction::make(info.Env(), info[1].As<Napi::Function>(), "domino-vss service",
                                               JavaScriptFunction::EventLoop::released);
    return runOnThread(info.Env(), "domino-vss service", [name = nameIn(info), stop] {
        service::hostService(
            name, [stop] { stop->call([](Napi::Env) { return std::vector<napi_value>{}; }); }, kAnswerPatience);
        return undefined();
    });
}

Napi::Value reportHosted(const Napi::CallbackInfo& info) {
    const std::string state = nameIn(info);
    const std::uint32_t waitHintMs = info[1].As<Napi::Number>().Uint32Value();
    const std::uint32_t exitCode = info[2].As<Napi::Number>().Uint32Value();
    if (state == "starting") service::reportHosted(service::HostedState::starting, waitHintMs, exitCode);
    if (state == "running") service::reportHosted(service::HostedState::running, waitHintMs, exitCode);
    if (state == "stopped") service::reportHosted(service::HostedState::stopped, waitHintMs, exitCode);
    return info.Env().Undefined();
}

}  // namespace

Napi::Object serviceObject(Napi::Env env) {
    Napi::Object object = Napi::Object::New(env);
    object["query"] = Napi::Function::New(env, query);
    object["requestStop"] = Napi::Function::New(env, requestStop);
    object["requestStart"] = Napi::Function::New(env, requestStart);
    object["runningDependents"] = Napi::Function::New(env, runningDependents);
    object["install"] = Napi::Function::New(env, install);
    object["uninstall"] = Napi::Function::New(env, uninstall);
    object["host"] = Napi::Function::New(env, host);
    object["reportHosted"] = Napi::Function::New(env, reportHosted);
    return object;
}

}  // namespace domino_vss::addon
