#include "addon/session_object.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "addon/javascript_function.h"
#include "addon/pending_promise.h"
#include "addon/records.h"
#include "addon/session_results.h"
#include "domino/change_info.h"
#include "domino/domino_source.h"
#include "domino/runtime.h"
#include "engine/offline_source.h"
#include "shadow/platform_provider.h"
#include "shadow/rolling_provider.h"
#include "system/path.h"
#ifdef _WIN32
#include "addon/vss_object.h"
#include "addon/vss_writers.h"
#include "shadow/vss/vss_provider.h"
#endif

namespace domino_vss::addon {

namespace {

using engine::Session;
using std::chrono::milliseconds;

/// How long the end of a process or worker waits for its sessions.
constexpr milliseconds kAbortTimeout{10'000};

/// The open sessions of the process, so that they can be aborted when an environment or the process ends.
class Registry {
public:
    void add(napi_env env, const std::shared_ptr<Session>& session) {
        const std::lock_guard lock(mutex_);
        std::erase_if(sessions_, [](const auto& entry) { return entry.second.expired(); });
        sessions_.emplace(env, session);
    }

    template <typename Predicate>
    std::vector<std::shared_ptr<Session>> take(Predicate belongs) {
        std::vector<std::shared_ptr<Session>> taken;
        const std::lock_guard lock(mutex_);
        for (auto entry = sessions_.begin(); entry != sessions_.end();) {
            if (!belongs(entry->first)) {
                ++entry;
                continue;
            }
            if (auto session = entry->second.lock()) taken.push_back(std::move(session));
            entry = sessions_.erase(entry);
        }
        return taken;
    }

private:
    std::mutex mutex_;
    std::multimap<napi_env, std::weak_ptr<Session>> sessions_;  // guarded by mutex_
};

Registry& registry() {
    static auto* const instance = new Registry;  // never destroyed: workers may end after static destruction began
    return *instance;
}

/// Aborts the sessions and counts what is left.
AbortOutcome abortAndCount(std::vector<std::shared_ptr<Session>> sessions) {
    for (const auto& session : sessions) session->cancel();
    const auto deadline = engine::Clock::now() + kAbortTimeout;
    AbortOutcome outcome;
    for (auto& session : sessions) {
        const auto left = std::chrono::ceil<milliseconds>(deadline - engine::Clock::now());
        const auto result = session->abortAndWait(std::max(left, milliseconds(1)));
        if (result != Session::Aborted::wasClosed) ++outcome.abortedSessions;
        if (result != Session::Aborted::unanswered) {
            for (const engine::DatabaseRecord& record : session->records())
                outcome.stuckDatabases += record.stuck() ? 1U : 0U;
            continue;
        }
        outcome.unansweredSessions += 1;
        // Its destructor would wait on this thread for the hanging call, so the session is kept until the process ends.
        static auto* const abandoned = new std::vector<std::shared_ptr<Session>>;
        static auto* const abandonedMutex = new std::mutex;
        const std::lock_guard lock(*abandonedMutex);
        abandoned->push_back(std::move(session));
    }
    return outcome;
}

std::string stringOf(const Napi::Object& object, const char* key) {
    return object.Get(key).As<Napi::String>().Utf8Value();
}

milliseconds millisecondsOf(const Napi::Value& value) {
    return milliseconds(value.As<Napi::Number>().Int64Value());
}

std::vector<shadow::SessionVolume> volumesOf(const Napi::Object& options) {
    const auto array = options.Get("volumes").As<Napi::Array>();
    std::vector<shadow::SessionVolume> volumes;
    for (std::uint32_t i = 0; i < array.Length(); ++i) {
        const auto volume = array.Get(i).As<Napi::Object>();
        volumes.push_back({stringOf(volume, "source"), stringOf(volume, "target")});
    }
    return volumes;
}

vss::PreparedBackupOptions preparedOptionsOf(const Napi::Object& options,
                                             const engine::SessionOptions& sessionOptions) {
    const auto writer = options.Get("writer").As<Napi::Object>();
    vss::PreparedBackupOptions prepared;
    prepared.id = stringOf(writer, "backupId");
    prepared.session = sessionOptions;
    prepared.lockedDirectory = stringOf(writer, "lockedDirectory");
    const auto moves = writer.Get("moves").As<Napi::Array>();
    for (std::uint32_t i = 0; i < moves.Length(); ++i) {
        const auto move = moves.Get(i).As<Napi::Object>();
        prepared.moves.push_back({pathOf(stringOf(move, "from")), pathOf(stringOf(move, "to"))});
    }
    prepared.volumes = stringsOf(writer, "volumes");
    prepared.prepareTimeout = millisecondsOf(writer.Get("prepareTimeoutMs"));
    prepared.drainTimeout = millisecondsOf(writer.Get("drainTimeoutMs"));
    prepared.maxSkipped = writer.Get("maxSkipped").As<Napi::Number>().Uint32Value();
    prepared.apply = [](const std::string& file, const vss::DatabaseInShadow& database) {
        const domino::Api& api = domino::runtime::api();
        const domino::RuntimeThread member(api);
        domino::applyChangeInfo(
            api, {file, database.deltaFile, database.announcedBytes, engine::kPieceBytes, database.irregularPieces});
    };
    return prepared;
}

shadow::HookProvider::Request hookRequest(Napi::Env env, const Napi::Function& hook) {
    // The pending capture keeps the event loop alive.
    const auto function =
        JavaScriptFunction::make(env, hook, "domino-vss hook", JavaScriptFunction::EventLoop::released);
    // Releases the function together with the provider; the environment's own reference does not count.
    const std::shared_ptr<void> releaser(nullptr, [function](void*) { function->release(); });
    return [function, releaser](double deadlineMs) {
        function->call([deadlineMs](Napi::Env running) {
            return std::vector<napi_value>{Napi::Number::New(running, deadlineMs)};
        });
    };
}

}  // namespace

Napi::Function SessionObject::define(Napi::Env env) {
    return DefineClass(env, "NativeSession",
                       {
                           InstanceMethod<&SessionObject::add>("add"),
                           InstanceMethod<&SessionObject::open>("open"),
                           InstanceMethod<&SessionObject::prepare>("prepare"),
                           InstanceMethod<&SessionObject::capture>("capture"),
                           InstanceMethod<&SessionObject::close>("close"),
                           InstanceMethod<&SessionObject::renewLease>("renewLease"),
                           InstanceMethod<&SessionObject::cancel>("cancel"),
                           InstanceMethod<&SessionObject::settleShadow>("settleShadow"),
                           InstanceMethod<&SessionObject::unlock>("unlock"),
                           InstanceMethod<&SessionObject::progress>("progress"),
                           InstanceMethod<&SessionObject::results>("results"),
                           InstanceMethod<&SessionObject::failures>("failures"),
                           InstanceMethod<&SessionObject::stuck>("stuck"),
                           InstanceMethod<&SessionObject::vssReport>("vssReport"),
                           InstanceMethod<&SessionObject::vssWriters>("vssWriters"),
                           InstanceMethod<&SessionObject::vssComponentsDocument>("vssComponentsDocument"),
                       });
}

SessionObject::SessionObject(const Napi::CallbackInfo& info) : Napi::ObjectWrap<SessionObject>(info) {
    const auto options = info[0].As<Napi::Object>();
    const std::string providerName = stringOf(options, "provider");

    std::unique_ptr<engine::DatabaseSource> source;
    if (stringOf(options, "source") == "offline")
        source = std::make_unique<engine::OfflineSource>();
    else
        source = std::make_unique<domino::DominoSource>(domino::runtime::api());

    engine::SessionOptions sessionOptions;
    sessionOptions.shards = static_cast<std::uint16_t>(options.Get("shards").As<Napi::Number>().Uint32Value());
    sessionOptions.databaseBudget = millisecondsOf(options.Get("databaseBudgetMs"));
    sessionOptions.window = millisecondsOf(options.Get("windowTimeoutMs"));
    sessionOptions.lease = millisecondsOf(options.Get("leaseMs"));
    sessionOptions.deltaDirectory = pathOf(stringOf(options, "deltaDirectory"));

    if (providerName == "writer") {
        prepared_ =
            std::make_shared<vss::PreparedBackup>(preparedOptionsOf(options, sessionOptions), std::move(source));
        session_ = prepared_->session();
        registry().add(info.Env(), session_);
        return;
    }

    std::unique_ptr<engine::ShadowProvider> provider;
    if (providerName == "rolling") {
        provider = std::make_unique<shadow::RollingProvider>(volumesOf(options));
#ifdef _WIN32
    } else if (providerName == "vss") {
        auto vss = std::make_unique<vss::VssProvider>(requesterOptionsOf(options));
        vss_ = vss.get();
        provider = std::move(vss);
#endif
    } else if (providerName != "hook") {
        provider = shadow::makePlatformProvider(providerName, volumesOf(options));
    } else {
        auto hook = std::make_unique<shadow::HookProvider>(
            volumesOf(options), hookRequest(info.Env(), options.Get("createShadow").As<Napi::Function>()));
        hook_ = hook.get();
        provider = std::move(hook);
    }

    session_ = std::make_shared<Session>(sessionOptions, std::move(source), std::move(provider));
    registry().add(info.Env(), session_);
}

void SessionObject::add(const Napi::CallbackInfo& info) {
    const auto databases = info[0].As<Napi::Object>();
    const auto paths = databases.Get("paths").As<Napi::Array>();
    const auto files = databases.Get("files").As<Napi::Array>();
    const auto targets = databases.Get("targets").As<Napi::Array>();
    const auto costsUs = databases.Get("costsUs").As<Napi::Uint32Array>();
    const auto activity = databases.Get("activity").As<Napi::Float64Array>();
    const auto fileNumbers = databases.Get("fileNumbers").As<Napi::BigUint64Array>();
    if (prepared_) {
        const auto volumes = databases.Get("volumes").As<Napi::Uint16Array>();
        const auto components = databases.Get("components").As<Napi::Uint16Array>();
        const auto required = databases.Get("required").As<Napi::Uint8Array>();
        for (std::uint32_t i = 0; i < paths.Length(); ++i) {
            prepared_->add({paths.Get(i).As<Napi::String>().Utf8Value(), files.Get(i).As<Napi::String>().Utf8Value(),
                            targets.Get(i).As<Napi::String>().Utf8Value(), costsUs[i], activity[i], fileNumbers[i]},
                           volumes[i], components[i], required[i] != 0);
        }
        return;
    }
    for (std::uint32_t i = 0; i < paths.Length(); ++i) {
        session_->add({paths.Get(i).As<Napi::String>().Utf8Value(), files.Get(i).As<Napi::String>().Utf8Value(),
                       targets.Get(i).As<Napi::String>().Utf8Value(), costsUs[i], activity[i], fileNumbers[i]});
    }
}

namespace {

Session::Completion completionOf(const std::shared_ptr<PendingPromise>& pending) {
    return [pending](Failure* failure) {
        if (failure != nullptr)
            pending->reject(std::move(*failure));
        else
            pending->resolve([](Napi::Env env) { return env.Undefined(); });
    };
}

/// In a writer's session, VSS events have already run the steps, so JavaScript only fetches the outcome.
Napi::Value settleStep(PendingPromise& pending, const vss::PreparedBackup& prepared) {
    const Napi::Value promise = pending.promise();
    if (std::optional<Failure> failure = prepared.outcome())
        pending.reject(std::move(*failure));
    else
        pending.resolve([](Napi::Env env) { return env.Undefined(); });
    return promise;
}

}  // namespace

Napi::Value SessionObject::open(const Napi::CallbackInfo& info) {
    const auto pending = std::make_shared<PendingPromise>(info.Env(), "domino-vss open");
    if (prepared_) return settleStep(*pending, *prepared_);
    session_->open(millisecondsOf(info[0]), completionOf(pending));
    return pending->promise();
}

Napi::Value SessionObject::prepare(const Napi::CallbackInfo& info) {
    const auto pending = std::make_shared<PendingPromise>(info.Env(), "domino-vss prepare");
    if (prepared_) return settleStep(*pending, *prepared_);
    session_->prepare(millisecondsOf(info[0]), completionOf(pending));
    return pending->promise();
}

Napi::Value SessionObject::capture(const Napi::CallbackInfo& info) {
    const auto pending = std::make_shared<PendingPromise>(info.Env(), "domino-vss capture");
    if (prepared_) return settleStep(*pending, *prepared_);
    session_->capture(millisecondsOf(info[0]), completionOf(pending));
    return pending->promise();
}

Napi::Value SessionObject::close(const Napi::CallbackInfo& info) {
    const auto options = info[0].As<Napi::Object>();
    const auto pending = std::make_shared<PendingPromise>(info.Env(), "domino-vss close");
    session_->close({options.Get("keepShadow").ToBoolean(), options.Get("succeeded").ToBoolean(),
                     stringsOf(options, "deletedShadows"), options.Get("untold").ToBoolean()},
                    millisecondsOf(options.Get("timeoutMs")), completionOf(pending));
    return pending->promise();
}

void SessionObject::renewLease(const Napi::CallbackInfo& /*info*/) {
    session_->renewLease();
}

void SessionObject::cancel(const Napi::CallbackInfo& /*info*/) {
    session_->cancel();
}

void SessionObject::settleShadow(const Napi::CallbackInfo& info) {
    if (hook_ == nullptr) return;
    if (info[0].IsObject())
        hook_->settle(stringOf(info[0].As<Napi::Object>(), "text"));
    else
        hook_->settle(std::nullopt);
}

void SessionObject::unlock(const Napi::CallbackInfo& /*info*/) {
    if (prepared_) prepared_->unlock();
}

Napi::Value SessionObject::progress(const Napi::CallbackInfo& info) {
    const engine::Progress progress = session_->progress();
    Napi::Object object = Napi::Object::New(info.Env());
    object["phase"] = phaseName(progress.phase);
    object["done"] = progress.done;
    object["total"] = progress.total;
    return object;
}

Napi::Value SessionObject::results(const Napi::CallbackInfo& info) {
    return resultsOf(info.Env(), *session_);
}

Napi::Value SessionObject::failures(const Napi::CallbackInfo& info) {
    return failuresOf(info.Env(), *session_);
}

Napi::Value SessionObject::stuck(const Napi::CallbackInfo& info) {
    return stuckOf(info.Env(), *session_);
}

Napi::Value SessionObject::vssReport(const Napi::CallbackInfo& info) {
#ifdef _WIN32
    if (vss_ != nullptr) return toObject(info.Env(), vss_->report());
#endif
    return info.Env().Null();
}

Napi::Value SessionObject::vssWriters(const Napi::CallbackInfo& info) {
#ifdef _WIN32
    if (vss_ != nullptr) return writersObject(info.Env(), vss_->report().writers);
#endif
    return info.Env().Null();
}

Napi::Value SessionObject::vssComponentsDocument(const Napi::CallbackInfo& info) {
#ifdef _WIN32
    if (vss_ != nullptr)
        if (const auto document = vss_->report().componentsDocument) return Napi::String::New(info.Env(), *document);
#endif
    return Napi::String::New(info.Env(), "");
}

AbortOutcome abortSessionsOf(napi_env env) {
    return abortAndCount(registry().take([env](napi_env owner) { return owner == env; }));
}

AbortOutcome abortAllSessions() {
    return abortAndCount(registry().take([](napi_env) { return true; }));
}

}  // namespace domino_vss::addon
