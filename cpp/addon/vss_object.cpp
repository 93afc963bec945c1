#include "addon/vss_object.h"

#include <chrono>
#include <memory>
#include <utility>

#include "addon/pending_promise.h"
#include "addon/records.h"
#include "addon/vss_writers.h"
#include "addon/writer_service.h"
#include "shadow/vss/administration.h"
#include "shadow/vss/cabinet.h"
#include "shadow/vss/com_apartment.h"
#include "shadow/vss/diagnosis.h"
#include "shadow/vss/privileges.h"
#include "shadow/vss/restore_session.h"
#include "shadow/vss/storage_check.h"

namespace domino_vss::addon {

namespace {

using addon::toObject;
using vss::Guid;

std::string stringOf(const Napi::Object& object, const char* key) {
    return object.Get(key).As<Napi::String>().Utf8Value();
}

bool booleanOf(const Napi::Object& object, const char* key) {
    return object.Get(key).As<Napi::Boolean>().Value();
}

std::uint32_t numberOf(const Napi::Object& object, const char* key) {
    // Read as 64 bits, because attribute bits are passed as an unsigned number and may use bit 31.
    return static_cast<std::uint32_t>(object.Get(key).As<Napi::Number>().Int64Value());
}

/// An empty string means GUID_NULL; TypeScript has validated the rest.
Guid guidOf(const Napi::Object& object, const char* key) {
    return vss::parseGuid(stringOf(object, key)).value_or(Guid{});
}

engine::Limits limitsOf(const Napi::Value& timeoutMs) {
    return {{}, engine::Clock::now() + std::chrono::milliseconds(timeoutMs.As<Napi::Number>().Int64Value())};
}

Napi::Object toObject(Napi::Env env, const vss::ShadowProperties& shadow);
Napi::Object toObject(Napi::Env env, const vss::ProviderProperties& provider);
Napi::Object toObject(Napi::Env env, const vss::RestoreWriter& writer);
Napi::Object toObject(Napi::Env env, const vss::Warning& warning);

template <typename Items>
Napi::Array listOf(Napi::Env env, const Items& items) {
    Napi::Array array = Napi::Array::New(env, items.size());
    for (std::uint32_t i = 0; i < items.size(); ++i) array.Set(i, toObject(env, items[i]));
    return array;
}

Napi::Array textList(Napi::Env env, const std::vector<std::string>& texts) {
    Napi::Array array = Napi::Array::New(env, texts.size());
    for (std::uint32_t i = 0; i < texts.size(); ++i) array.Set(i, texts[i]);
    return array;
}

Napi::Object toObject(Napi::Env env, const vss::ShadowProperties& shadow) {
    Napi::Object object = Napi::Object::New(env);
    object["id"] = vss::formatGuid(shadow.id);
    object["setId"] = vss::formatGuid(shadow.setId);
    object["setCount"] = shadow.setCount;
    object["device"] = shadow.device;
    object["volume"] = shadow.volume;
    object["originatingMachine"] = shadow.originatingMachine;
    object["serviceMachine"] = shadow.serviceMachine;
    object["exposedName"] = shadow.exposedName;
    object["exposedPath"] = shadow.exposedPath;
    object["providerId"] = vss::formatGuid(shadow.providerId);
    object["attributes"] = shadow.attributes;
    object["createdMs"] = shadow.createdMs;
    object["state"] = shadow.state;
    return object;
}

Napi::Object toObject(Napi::Env env, const vss::ProviderProperties& provider) {
    Napi::Object object = Napi::Object::New(env);
    object["id"] = vss::formatGuid(provider.id);
    object["name"] = provider.name;
    object["type"] = provider.type;
    object["version"] = provider.version;
    object["versionId"] = vss::formatGuid(provider.versionId);
    object["classId"] = vss::formatGuid(provider.classId);
    return object;
}

Napi::Object toObject(Napi::Env env, const vss::RestoreWriter& writer) {
    Napi::Object object = Napi::Object::New(env);
    object["id"] = vss::formatGuid(writer.id);
    object["name"] = writer.name;
    object["present"] = Napi::Boolean::New(env, writer.present);
    return object;
}

Napi::Object toObject(Napi::Env env, const vss::Warning& warning) {
    Napi::Object object = Napi::Object::New(env);
    object["code"] = warning.code;
    object["message"] = warning.message;
    object["subject"] = warning.subject;
    return object;
}

PendingPromise::MakeValue undefined() {
    return [](Napi::Env env) { return env.Undefined(); };
}

/// Runs a request on a separate thread, in the apartment.
template <typename Work>
Napi::Promise request(Napi::Env env, const char* name, Work work) {
    return runOnThread(env, name, [work = std::move(work)]() -> PendingPromise::MakeValue {
        const vss::ComApartment apartment;
        return work();
    });
}

/// Returns a list of records.
template <typename Items>
PendingPromise::MakeValue answerList(Items items) {
    // Shared, because a std::function must be copyable and the records need not be copied.
    return [shared = std::make_shared<const Items>(std::move(items))](Napi::Env env) { return listOf(env, *shared); };
}

Napi::Value listShadows(const Napi::CallbackInfo& info) {
    return request(info.Env(), "domino-vss list shadows", [] { return answerList(vss::listShadows()); });
}

Napi::Value listProviders(const Napi::CallbackInfo& info) {
    return request(info.Env(), "domino-vss list providers", [] { return answerList(vss::listProviders()); });
}

Napi::Value listWriters(const Napi::CallbackInfo& info) {
    const auto options = info[0].As<Napi::Object>();
    return request(info.Env(), "domino-vss list writers",
                   [status = booleanOf(options, "status"),
                    limits = limitsOf(options.Get("timeoutMs"))]() -> PendingPromise::MakeValue {
                       return [writers = vss::listWriters(status, limits)](Napi::Env env) {
                           return writersObject(env, writers);
                       };
                   });
}

Napi::Value isVolumeSupported(const Napi::CallbackInfo& info) {
    const auto options = info[0].As<Napi::Object>();
    return request(info.Env(), "domino-vss volume supported",
                   [volume = stringOf(options, "volume"),
                    provider = guidOf(options, "providerId")]() -> PendingPromise::MakeValue {
                       return [supported = vss::isVolumeSupported(volume, provider)](Napi::Env env) {
                           return Napi::Boolean::New(env, supported);
                       };
                   });
}

Napi::Value exposeShadow(const Napi::CallbackInfo& info) {
    const auto options = info[0].As<Napi::Object>();
    const vss::Exposure exposure{
        guidOf(options, "id"),
        stringOf(options, "kind") == "share" ? vss::ExposureKind::share : vss::ExposureKind::local,
        stringOf(options, "as"), stringOf(options, "pathFromRoot")};
    return request(info.Env(), "domino-vss expose", [exposure]() -> PendingPromise::MakeValue {
        return [place = vss::exposeShadow(exposure)](Napi::Env env) { return Napi::String::New(env, place); };
    });
}

Napi::Value unexposeShadow(const Napi::CallbackInfo& info) {
    return request(info.Env(), "domino-vss unexpose", [id = guidOf(info[0].As<Napi::Object>(), "id")] {
        vss::unexposeShadow(id);
        return undefined();
    });
}

Napi::Value deleteShadows(const Napi::CallbackInfo& info) {
    const auto options = info[0].As<Napi::Object>();
    const auto kind = stringOf(options, "kind") == "set" ? vss::DeletionKind::set : vss::DeletionKind::shadow;
    return request(
        info.Env(), "domino-vss delete shadows",
        [id = guidOf(options, "id"), kind, force = booleanOf(options, "force")]() -> PendingPromise::MakeValue {
            return [deletion = vss::deleteShadows(id, kind, force)](Napi::Env env) {
                Napi::Object object = Napi::Object::New(env);
                object["deleted"] = deletion.deleted;
                object["failure"] = env.Null();
                if (deletion.failure) object["failure"] = toObject(env, *deletion.failure);
                object["notDeletedId"] = vss::formatGuid(deletion.notDeletedId);
                return object;
            };
        });
}

Napi::Value breakSnapshotSet(const Napi::CallbackInfo& info) {
    const auto options = info[0].As<Napi::Object>();
    return request(info.Env(), "domino-vss break",
                   [id = guidOf(options, "setId"), flags = numberOf(options, "flags"),
                    limits = limitsOf(options.Get("timeoutMs"))] {
                       vss::breakSnapshotSet(id, flags, limits);
                       return undefined();
                   });
}

Napi::Value importShadows(const Napi::CallbackInfo& info) {
    const auto options = info[0].As<Napi::Object>();
    return request(info.Env(), "domino-vss import",
                   [document = stringOf(options, "document"), limits = limitsOf(options.Get("timeoutMs"))] {
                       return answerList(vss::importShadows(document, limits));
                   });
}

Napi::Value revertToShadow(const Napi::CallbackInfo& info) {
    const auto options = info[0].As<Napi::Object>();
    return request(info.Env(), "domino-vss revert",
                   [id = guidOf(options, "id"), force = booleanOf(options, "forceDismount")] {
                       vss::revertToShadow(id, force);
                       return undefined();
                   });
}

Napi::Value awaitRevert(const Napi::CallbackInfo& info) {
    const auto options = info[0].As<Napi::Object>();
    return request(info.Env(), "domino-vss await revert",
                   [volume = stringOf(options, "volume"),
                    limits = limitsOf(options.Get("timeoutMs"))]() -> PendingPromise::MakeValue {
                       return [finished = vss::awaitRevert(volume, limits)](Napi::Env env) {
                           Napi::Object object = Napi::Object::New(env);
                           object["finished"] = Napi::Boolean::New(env, finished);
                           return object;
                       };
                   });
}

vss::RestoreOutcome outcomeOf(const Napi::Object& options) {
    const std::string outcome = stringOf(options, "outcome");
    return outcome == "all"    ? vss::RestoreOutcome::all
           : outcome == "none" ? vss::RestoreOutcome::none
                               : vss::RestoreOutcome::failed;
}

/// NativeVssRestore. Its functions share the session.
Napi::Object restoreObject(Napi::Env env, const std::shared_ptr<vss::RestoreSession>& session) {
    Napi::Object object = Napi::Object::New(env);
    object["writers"] = listOf(env, session->writers());
    object["preRestore"] = Napi::Function::New(env, [session](const Napi::CallbackInfo& info) -> Napi::Value {
        return request(info.Env(), "domino-vss pre-restore", [session, limits = limitsOf(info[0])] {
            session->preRestore(limits);
            return undefined();
        });
    });
    object["postRestore"] = Napi::Function::New(env, [session](const Napi::CallbackInfo& info) -> Napi::Value {
        const auto options = info[0].As<Napi::Object>();
        return request(info.Env(), "domino-vss post-restore",
                       [session, outcome = outcomeOf(options), limits = limitsOf(options.Get("timeoutMs"))] {
                           session->postRestore(outcome, limits);
                           return undefined();
                       });
    });
    object["close"] = Napi::Function::New(env, [session](const Napi::CallbackInfo& info) -> Napi::Value {
        return request(info.Env(), "domino-vss end restore", [session] {
            session->close();
            return undefined();
        });
    });
    return object;
}

Napi::Value beginRestore(const Napi::CallbackInfo& info) {
    const auto options = info[0].As<Napi::Object>();
    return request(info.Env(), "domino-vss begin restore",
                   [document = stringOf(options, "document"),
                    limits = limitsOf(options.Get("timeoutMs"))]() -> PendingPromise::MakeValue {
                       return [session = std::make_shared<vss::RestoreSession>(document, limits)](Napi::Env env) {
                           return restoreObject(env, session);
                       };
                   });
}

Napi::Value whyNot(const Napi::CallbackInfo& info) {
    return request(info.Env(), "domino-vss why not", [] { return answerList(vss::whyNotVss()); });
}

Napi::Value checkShadowStorage(const Napi::CallbackInfo& info) {
    const auto options = info[0].As<Napi::Object>();
    return request(info.Env(), "domino-vss check shadow storage",
                   [volume = stringOf(options, "volume")]() -> PendingPromise::MakeValue {
                       return [warnings = vss::checkShadowStorage(volume)](Napi::Env env) {
                           return listOf(env, warnings);
                       };
                   });
}

Napi::Value writeCabinet(const Napi::CallbackInfo& info) {
    const auto options = info[0].As<Napi::Object>();
    const auto array = options.Get("files").As<Napi::Array>();
    std::vector<vss::CabinetFile> files;
    for (std::uint32_t i = 0; i < array.Length(); ++i) {
        const auto file = array.Get(i).As<Napi::Object>();
        files.push_back({stringOf(file, "file"), stringOf(file, "name")});
    }
    return runOnThread(info.Env(), "domino-vss write cabinet", [cabinet = stringOf(options, "cabinet"), files] {
        vss::writeCabinet(cabinet, files);
        return undefined();
    });
}

Napi::Value readCabinet(const Napi::CallbackInfo& info) {
    const auto options = info[0].As<Napi::Object>();
    return runOnThread(info.Env(), "domino-vss read cabinet",
                       [cabinet = stringOf(options, "cabinet"),
                        directory = stringOf(options, "directory")]() -> PendingPromise::MakeValue {
                           return [names = vss::readCabinet(cabinet, directory)](Napi::Env env) {
                               return textList(env, names);
                           };
                       });
}

}  // namespace

Napi::Object vssObject(Napi::Env env) {
    Napi::Object object = Napi::Object::New(env);
    object["listShadows"] = Napi::Function::New(env, listShadows);
    object["listProviders"] = Napi::Function::New(env, listProviders);
    object["listWriters"] = Napi::Function::New(env, listWriters);
    object["isVolumeSupported"] = Napi::Function::New(env, isVolumeSupported);
    object["exposeShadow"] = Napi::Function::New(env, exposeShadow);
    object["unexposeShadow"] = Napi::Function::New(env, unexposeShadow);
    object["deleteShadows"] = Napi::Function::New(env, deleteShadows);
    object["breakSnapshotSet"] = Napi::Function::New(env, breakSnapshotSet);
    object["importShadows"] = Napi::Function::New(env, importShadows);
    object["revertToShadow"] = Napi::Function::New(env, revertToShadow);
    object["awaitRevert"] = Napi::Function::New(env, awaitRevert);
    object["beginRestore"] = Napi::Function::New(env, beginRestore);
    object["whyNot"] = Napi::Function::New(env, whyNot);
    object["checkShadowStorage"] = Napi::Function::New(env, checkShadowStorage);
    object["writeCabinet"] = Napi::Function::New(env, writeCabinet);
    object["readCabinet"] = Napi::Function::New(env, readCabinet);
    object["registerWriter"] = Napi::Function::New(env, registerWriter);
    return object;
}

Napi::Object toObject(Napi::Env env, const vss::RequesterReport& report) {
    Napi::Array shadowIds = Napi::Array::New(env, report.shadowIds.size());
    for (std::uint32_t i = 0; i < report.shadowIds.size(); ++i) shadowIds.Set(i, vss::formatGuid(report.shadowIds[i]));
    Napi::Object object = Napi::Object::New(env);
    object["setId"] = vss::formatGuid(report.setId);
    object["shadowIds"] = shadowIds;
    object["shadows"] = listOf(env, report.shadows);
    object["warnings"] = listOf(env, report.warnings);
    return object;
}

vss::RequesterOptions requesterOptionsOf(const Napi::Object& sessionOptions) {
    const auto options = sessionOptions.Get("vss").As<Napi::Object>();
    vss::RequesterOptions requester;
    requester.context = numberOf(options, "context");
    requester.providerId = guidOf(options, "providerId");
    requester.backupType = static_cast<std::int32_t>(numberOf(options, "backupType"));
    requester.componentMode = booleanOf(options, "componentMode");
    requester.bootableSystemState = booleanOf(options, "bootableSystemState");
    requester.excludeWriters = stringsOf(options, "excludeWriters");
    requester.verifyWriters = stringsOf(options, "verifyWriters");
    const auto volumes = sessionOptions.Get("volumes").As<Napi::Array>();
    for (std::uint32_t i = 0; i < volumes.Length(); ++i)
        requester.volumes.push_back(stringOf(volumes.Get(i).As<Napi::Object>(), "source"));
    requester.excludeDomino = booleanOf(options, "excludeDomino");
    requester.stopAtThaw = booleanOf(options, "stopAtThaw");
    requester.onlyThawSignal = booleanOf(options, "onlyThawSignal");
    return requester;
}

}  // namespace domino_vss::addon
