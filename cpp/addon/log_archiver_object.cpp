#include "addon/log_archiver_object.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "addon/pending_promise.h"
#include "addon/records.h"
#include "domino/log_archiver.h"
#include "domino/runtime.h"
#include "system/abandonable_thread.h"
#include "system/current_call.h"

namespace domino_vss::addon {

namespace {

/// How long the end of an environment waits for a Domino call.
constexpr std::chrono::seconds kEndPatience{2};

using domino::LogArchiver;
using Work = std::function<PendingPromise::MakeValue(LogArchiver&)>;

struct Request {
    std::shared_ptr<PendingPromise> pending;
    Work work;
};

/// Shared by the thread and its owner.
struct Archiving {
    explicit Archiving(napi_env owner) : env(owner) {}

    const napi_env env;
    std::mutex mutex;
    std::condition_variable changed;
    std::deque<Request> requests;  // guarded by mutex, as is the rest
    bool leaving = false;
    bool left = false;

    void post(Request request) {
        const std::lock_guard lock(mutex);
        requests.push_back(std::move(request));
        changed.notify_all();
    }

    void leave() noexcept {
        const std::lock_guard lock(mutex);
        leaving = true;
        changed.notify_all();
    }

    void noteLeft() noexcept {
        const std::lock_guard lock(mutex);
        left = true;
        changed.notify_all();
    }

    /// Returns false when the thread is to end and all requests are done.
    bool take(Request& request) {
        std::unique_lock lock(mutex);
        changed.wait(lock, [this] { return leaving || !requests.empty(); });
        if (requests.empty()) return false;
        request = std::move(requests.front());
        requests.pop_front();
        return true;
    }
};

std::mutex& registryMutex() {
    static std::mutex mutex;
    return mutex;
}

std::vector<std::weak_ptr<Archiving>>& registry() {
    static std::vector<std::weak_ptr<Archiving>> archivings;  // guarded by registryMutex
    return archivings;
}

/// Held by the functions of the JavaScript object. When the last one is gone, the right to archive is released.
struct Handle {
    explicit Handle(std::shared_ptr<Archiving> shared) : archiving(std::move(shared)) {}
    Handle(const Handle&) = delete;
    Handle& operator=(const Handle&) = delete;
    ~Handle() { archiving->leave(); }

    std::shared_ptr<Archiving> archiving;
};

Napi::Value ask(Napi::Env env, const std::shared_ptr<Handle>& handle, Work work) {
    const auto pending = std::make_shared<PendingPromise>(env, "domino-vss log archive");
    pending->makeAbandonable();
    handle->archiving->post({pending, std::move(work)});
    return pending->promise();
}

Napi::Value toObject(Napi::Env env, const domino::LogExtent& extent) {
    Napi::Object object = Napi::Object::New(env);
    Napi::Uint8Array logId = Napi::Uint8Array::New(env, sizeof extent.logId);
    std::memcpy(logId.Data(), &extent.logId, sizeof extent.logId);
    object["waits"] = Napi::Boolean::New(env, extent.waits);
    object["logId"] = logId;
    object["number"] = extent.number;
    object["file"] = extent.file;
    return object;
}

Napi::Value archiverObject(Napi::Env env, const std::shared_ptr<Handle>& handle) {
    Napi::Object object = Napi::Object::New(env);
    object["next"] = Napi::Function::New(env, [handle](const Napi::CallbackInfo& info) {
        return ask(info.Env(), handle, [](LogArchiver& archiver) -> PendingPromise::MakeValue {
            return [extent = archiver.next()](Napi::Env to) { return toObject(to, extent); };
        });
    });
    object["done"] = Napi::Function::New(env, [handle](const Napi::CallbackInfo& info) {
        const auto bytes = info[0].As<Napi::Uint8Array>();
        domino::UNID logId{};
        std::memcpy(&logId, bytes.Data(), std::min(sizeof logId, bytes.ByteLength()));
        const domino::DWORD number = info[1].As<Napi::Number>().Uint32Value();
        return ask(info.Env(), handle, [logId, number](LogArchiver& archiver) -> PendingPromise::MakeValue {
            archiver.done(logId, number);
            return [](Napi::Env to) { return to.Undefined(); };
        });
    });
    object["end"] = Napi::Function::New(env, [handle](const Napi::CallbackInfo& info) {
        return ask(info.Env(), handle, [](LogArchiver& archiver) -> PendingPromise::MakeValue {
            archiver.end();
            return [](Napi::Env to) { return to.Undefined(); };
        });
    });
    return object;
}

void serve(LogArchiver& archiver, Archiving& archiving) {
    for (Request request; archiving.take(request); request = {}) {
        const CurrentCall::Watch watch(request.pending->currentCall());
        try {
            request.pending->resolve(request.work(archiver));
        } catch (...) {
            request.pending->reject(failureInFlight(Phase::archive));
        }
    }
}

void run(const std::shared_ptr<Archiving>& archiving, PendingPromise& begun) {
    const domino::Api& api = domino::runtime::api();
    const domino::RuntimeThread member(api);
    std::unique_ptr<LogArchiver> archiver;
    {
        const CurrentCall::Watch watch(begun.currentCall());
        archiver = std::make_unique<LogArchiver>(api);
    }
    begun.resolve(
        [handle = std::make_shared<Handle>(archiving)](Napi::Env env) { return archiverObject(env, handle); });
    serve(*archiver, *archiving);
}

template <typename Choose>
void endArchiving(Choose choose) noexcept {
    std::vector<std::shared_ptr<Archiving>> chosen;
    {
        const std::lock_guard lock(registryMutex());
        for (const std::weak_ptr<Archiving>& one : registry())
            if (auto archiving = one.lock(); archiving && choose(*archiving)) chosen.push_back(std::move(archiving));
    }
    for (const auto& archiving : chosen) archiving->leave();
    for (const auto& archiving : chosen) {
        std::unique_lock lock(archiving->mutex);
        static_cast<void>(archiving->changed.wait_for(lock, kEndPatience, [&] { return archiving->left; }));
    }
}

}  // namespace

Napi::Value beginArchivingLogs(const Napi::CallbackInfo& info) {
    const auto archiving = std::make_shared<Archiving>(info.Env());
    {
        const std::lock_guard lock(registryMutex());
        std::erase_if(registry(), [](const std::weak_ptr<Archiving>& one) { return one.expired(); });
        registry().push_back(archiving);
    }
    const auto begun = std::make_shared<PendingPromise>(info.Env(), "domino-vss log archive");
    begun->makeAbandonable();
    const auto refuse = [archiving, begun](Failure&& failure) {
        failure.phase = Phase::archive;
        begun->reject(std::move(failure));
        archiving->noteLeft();
    };
    try {
        AbandonableThread(
            [archiving, begun] {
                run(archiving, *begun);
                archiving->noteLeft();
            },
            refuse)
            .abandon();
    } catch (Failure& failure) {
        refuse(std::move(failure));
    }
    return begun->promise();
}

void endArchivingOf(napi_env env) noexcept {
    endArchiving([env](const Archiving& archiving) { return archiving.env == env; });
}

void endAllArchiving() noexcept {
    endArchiving([](const Archiving&) { return true; });
}

}  // namespace domino_vss::addon
