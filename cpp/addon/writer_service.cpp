#include "addon/writer_service.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "addon/javascript_function.h"
#include "addon/pending_promise.h"
#include "addon/records.h"
#include "addon/session_object.h"
#include "shadow/vss/com_apartment.h"
#include "shadow/vss/registered_writer.h"
#include "shadow/vss/writer/restore_process.h"
#include "shadow/vss/writer/writer_events.h"

namespace domino_vss::addon {

namespace {

std::string stringOf(const Napi::Object& object, const char* key) {
    return object.Get(key).As<Napi::String>().Utf8Value();
}

vss::WriterDescription descriptionOf(const Napi::Object& options) {
    vss::WriterDescription description;
    description.classId = vss::parseGuid(stringOf(options, "classId")).value_or(vss::Guid{});
    description.name = stringOf(options, "name");
    description.instanceName = stringOf(options, "instanceName");
    description.freezeTimeoutMs = options.Get("freezeTimeoutMs").As<Napi::Number>().Uint32Value();
    description.autoRecovery = options.Get("autoRecovery").As<Napi::Boolean>().Value();
    return description;
}

vss::ComponentKind kindOf(const std::string& name) {
    if (name == "transactionLog") return vss::ComponentKind::transactionLog;
    return name == "attachments" ? vss::ComponentKind::attachments : vss::ComponentKind::databases;
}

vss::OwnComponents componentsOf(const Napi::Object& options) {
    const auto array = options.Get("components").As<Napi::Array>();
    vss::OwnComponents components;
    for (std::uint32_t i = 0; i < array.Length(); ++i) {
        const auto one = array.Get(i).As<Napi::Object>();
        vss::OwnComponent component{stringOf(one, "logicalPath"),
                                    stringOf(one, "name"),
                                    stringOf(one, "caption"),
                                    kindOf(stringOf(one, "kind")),
                                    {}};
        const auto files = one.Get("files").As<Napi::Array>();
        for (std::uint32_t j = 0; j < files.Length(); ++j) {
            const auto file = files.Get(j).As<Napi::Object>();
            component.files.push_back({stringOf(file, "directory"), stringOf(file, "pattern"),
                                       file.Get("recursive").As<Napi::Boolean>().Value()});
        }
        components.push_back(std::move(component));
    }
    return components;
}

const char* momentName(vss::WriterMoment moment) {
    switch (moment) {
        case vss::WriterMoment::identified: return "identified";
        case vss::WriterMoment::refused: return "refused";
        case vss::WriterMoment::begun: return "begun";
        case vss::WriterMoment::held: return "held";
        case vss::WriterMoment::thawed: return "thawed";
        case vss::WriterMoment::completed: return "completed";
        case vss::WriterMoment::failed: return "failed";
        case vss::WriterMoment::uninvolved: return "uninvolved";
    }
    return "";
}

Napi::Value noticeObject(Napi::Env env, const vss::WriterNotice& notice) {
    Napi::Object object = Napi::Object::New(env);
    object["moment"] = momentName(notice.moment);
    object["setId"] = vss::formatGuid(notice.set);
    object["backupId"] = notice.backup ? notice.backup->id() : "";
    object["failure"] = notice.failure ? addon::toObject(env, *notice.failure).As<Napi::Value>() : env.Null();
    const bool settled = notice.backup != nullptr && notice.moment != vss::WriterMoment::begun;
    const auto numbers = [&](const std::vector<std::uint32_t>& databases) {
        Napi::Uint32Array array = Napi::Uint32Array::New(env, settled ? databases.size() : 0);
        if (settled) std::ranges::copy(databases, array.Data());
        return array;
    };
    static const std::vector<std::uint32_t> none;
    object["included"] = numbers(notice.backup ? notice.backup->included() : none);
    object["outside"] = numbers(notice.backup ? notice.backup->outside() : none);
    Napi::Array inShadows = Napi::Array::New(env);
    if (notice.backup != nullptr && notice.moment == vss::WriterMoment::completed)
        for (const auto& [record, failure] : notice.backup->inShadows()) {
            Napi::Object database = Napi::Object::New(env);
            database["index"] = static_cast<double>(record);
            database["failure"] = failure ? addon::toObject(env, *failure).As<Napi::Value>() : env.Null();
            inShadows.Set(inShadows.Length(), database);
        }
    object["inShadows"] = inShadows;
    return object;
}

const char* momentName(vss::RestoreMoment moment) {
    switch (moment) {
        case vss::RestoreMoment::begun: return "restore-begun";
        case vss::RestoreMoment::refused: return "restore-refused";
        case vss::RestoreMoment::ended: return "restore-ended";
        case vss::RestoreMoment::failed: return "restore-failed";
    }
    return "";
}

std::unique_ptr<vss::RestoreWork> restoreOf(const Napi::Object& options,
                                            const std::shared_ptr<JavaScriptFunction>& listener) {
    vss::RestoreProcessOptions restore;
    restore.commandLine = stringOf(options, "restoreCommand");
    if (restore.commandLine.empty()) return nullptr;
    restore.patience = std::chrono::milliseconds(options.Get("restorePatienceMs").As<Napi::Number>().Int64Value());
    return std::make_unique<vss::RestoreProcess>(
        restore, [listener](vss::RestoreMoment moment, const vss::Verdict& verdict, const std::string& report) {
            listener->call([moment, text = verdict.text, report](Napi::Env env) {
                Napi::Object object = Napi::Object::New(env);
                object["moment"] = momentName(moment);
                object["text"] = text;
                object["report"] = report;
                return std::vector<napi_value>{object};
            });
        });
}

struct Service {
    std::shared_ptr<JavaScriptFunction> listener;
    std::shared_ptr<vss::WriterEvents> events;
    std::mutex mutex;
    std::unique_ptr<vss::RegisteredWriter> writer;  // guarded by mutex

    /// Call on a separate thread: VSS waits for running handlers.
    void end() {
        const std::lock_guard lock(mutex);
        if (writer != nullptr) {
            const vss::ComApartment apartment;
            writer->end();
            writer.reset();
        }
        events->close();
        listener->release();
    }
};

/// The writers of the process, so that their backups can be aborted when an environment or the process ends.
std::mutex registryMutex;
std::vector<std::pair<napi_env, std::weak_ptr<vss::WriterEvents>>>& registry() {
    static auto* const writers = new std::vector<std::pair<napi_env, std::weak_ptr<vss::WriterEvents>>>;
    return *writers;  // never destroyed: workers may end after static destruction began
}

template <typename Predicate>
void closeWriters(Predicate belongs) {
    std::vector<std::shared_ptr<vss::WriterEvents>> taken;
    {
        const std::lock_guard lock(registryMutex);
        std::erase_if(registry(), [&](const auto& entry) {
            const auto [env, weak] = entry;
            if (!belongs(env)) return weak.expired();
            if (auto events = weak.lock()) taken.push_back(std::move(events));
            return true;
        });
    }
    for (const auto& events : taken) events->close();
}

Napi::Object serviceObject(Napi::Env env, const std::shared_ptr<Service>& service) {
    Napi::Object object = Napi::Object::New(env);
    object["arm"] = Napi::Function::New(env, [service](const Napi::CallbackInfo& info) -> Napi::Value {
        std::shared_ptr<vss::PreparedBackup> backup;
        if (info[0].IsObject()) backup = SessionObject::Unwrap(info[0].As<Napi::Object>())->preparedBackup();
        return Napi::Boolean::New(info.Env(), service->events->arm(std::move(backup)));
    });
    object["end"] = Napi::Function::New(env, [service](const Napi::CallbackInfo& info) {
        return runOnThread(info.Env(), "domino-vss writer", [service]() -> PendingPromise::MakeValue {
            service->end();
            return [](Napi::Env answering) { return answering.Undefined(); };
        });
    });
    return object;
}

}  // namespace

Napi::Value registerWriter(const Napi::CallbackInfo& info) {
    const auto options = info[0].As<Napi::Object>();
    const auto service = std::make_shared<Service>();
    // A writer serves until it is ended, so it keeps the event loop alive.
    service->listener = JavaScriptFunction::make(info.Env(), info[1].As<Napi::Function>(), "domino-vss writer",
                                                 JavaScriptFunction::EventLoop::kept);
    service->events = std::make_shared<vss::WriterEvents>(
        componentsOf(options), vss::WriterEvents::Policy{options.Get("veto").As<Napi::Boolean>().Value()},
        [listener = service->listener](const vss::WriterNotice& notice) {
            listener->call([notice](Napi::Env env) { return std::vector<napi_value>{noticeObject(env, notice)}; });
        },
        restoreOf(options, service->listener));
    {
        const std::lock_guard lock(registryMutex);
        registry().emplace_back(info.Env(), service->events);
    }
    return runOnThread(info.Env(), "domino-vss writer",
                       [service, description = descriptionOf(options)]() -> PendingPromise::MakeValue {
                           try {
                               const vss::ComApartment apartment;
                               auto writer = std::make_unique<vss::RegisteredWriter>(description, service->events);
                               const std::lock_guard lock(service->mutex);
                               service->writer = std::move(writer);
                           } catch (...) {
                               service->end();
                               throw;
                           }
                           return [service](Napi::Env env) { return serviceObject(env, service); };
                       });
}

void closeWritersOf(napi_env env) {
    closeWriters([env](napi_env owner) { return owner == env; });
}

void closeAllWriters() {
    closeWriters([](napi_env) { return true; });
}

}  // namespace domino_vss::addon
