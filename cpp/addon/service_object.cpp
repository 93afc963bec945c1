#include "addon/service_object.h"

#include <string>
#include <vector>

#include "addon/pending_promise.h"
#include "service/service_control.h"

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

}  // namespace

Napi::Object serviceObject(Napi::Env env) {
    Napi::Object object = Napi::Object::New(env);
    object["query"] = Napi::Function::New(env, query);
    object["requestStop"] = Napi::Function::New(env, requestStop);
    object["requestStart"] = Napi::Function::New(env, requestStart);
    object["runningDependents"] = Napi::Function::New(env, runningDependents);
    return object;
}

}  // namespace domino_vss::addon
