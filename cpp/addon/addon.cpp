#include <napi.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "addon/catalog_columns.h"
#include "addon/log_archiver_object.h"
#include "addon/pending_promise.h"
#include "addon/records.h"
#include "addon/session_object.h"
#include "domino/abandoned_backup.h"
#include "domino/canary.h"
#include "domino/catalog.h"
#include "domino/change_info.h"
#include "domino/database_identity.h"
#include "domino/lmbcs.h"
#include "domino/recovery.h"
#include "domino/runtime.h"
#include "domino/status.h"
#include "shadow/platform_provider.h"
#include "system/current_call.h"
#include "system/directory_lock.h"
#include "system/process_end.h"
#include "system/remove_tree.h"
#include "system/system_log.h"
#include "system/volume.h"
#ifdef _WIN32
#include "addon/service_object.h"
#include "addon/vss_object.h"
#include "addon/writer_service.h"
#include "domino/registration.h"
#include "shadow/vss/com_apartment.h"
#include "system/private_directory.h"
#include "system/process_start_windows.h"
#include "system/trust.h"
#else
#include "shadow/btrfs_provider.h"
#endif

namespace domino_vss::addon {

namespace {

/// Limit for the wait for NotesTerm at process exit.
constexpr std::chrono::seconds kTerminateTimeout{5};

std::string stringOf(const Napi::Object& object, const char* key) {
    return object.Get(key).As<Napi::String>().Utf8Value();
}

PendingPromise::MakeValue undefined() {
    return [](Napi::Env env) { return env.Undefined(); };
}

/// A request that needs the runtime: its thread is a member of the runtime while `work` runs. The promise is settled
/// before the thread leaves the runtime, because leaving may hang.
template <typename Work>
Napi::Promise runInRuntime(Napi::Env env, const char* name, Work work) {
    return requestOnThread(env, name, [work = std::move(work)](PendingPromise& pending) {
        const domino::Api& api = domino::runtime::api();
        const domino::RuntimeThread member(api);
        try {
            pending.resolve(work(api));
        } catch (...) {
            pending.reject(failureInFlight(Phase::runtime));
        }
        CurrentCall::note("NotesTermThread");
    });
}

Napi::Value openRuntime(const Napi::CallbackInfo& info) {
    const auto options = info[0].As<Napi::Object>();
    domino::RuntimeOptions runtimeOptions{stringOf(options, "programDirectory"), stringOf(options, "notesIni"),
                                          options.Get("trustProgramDirectory").ToBoolean()};
    return runOnThread(info.Env(), "domino-vss runtime", [runtimeOptions]() -> PendingPromise::MakeValue {
#ifdef _WIN32
        // Before Domino, which may also set up COM: the first caller's security settings stay, and writers that they do
        // not admit report event 8194.
        vss::ComApartment::setUpProcess();
#endif
        return [runtime = domino::runtime::open(runtimeOptions)](Napi::Env env) { return toObject(env, runtime); };
    });
}

Napi::Value currentRuntime(const Napi::CallbackInfo& info) {
    const domino::RuntimeInfo* const runtime = domino::runtime::current();
    return runtime == nullptr ? info.Env().Null() : toObject(info.Env(), *runtime);
}

Napi::Value transactionLogStyle(const Napi::CallbackInfo& info) {
    return runInRuntime(info.Env(), "domino-vss log style", [](const domino::Api& api) -> PendingPromise::MakeValue {
        domino::WORD style = 0;
        CurrentCall::note("NSFGetTransLogStyle");
        const domino::STATUS status = api.NSFGetTransLogStyle(&style);
        std::string name = "none";
        if (domino::errorCode(status) != domino::error::kServerNotTranslogged) {
            domino::require(api, status, "NSFGetTransLogStyle", Phase::probe, "");
            name = style == domino::kTranslogArchive  ? "archive"
                   : style == domino::kTranslogLinear ? "linear"
                                                      : "circular";
        }
        return [name](Napi::Env env) { return Napi::String::New(env, name); };
    });
}

Napi::Value notesIniValue(const Napi::CallbackInfo& info) {
    const std::string name = info[0].As<Napi::String>().Utf8Value();
    return runInRuntime(
        info.Env(), "domino-vss notes.ini", [name](const domino::Api& api) -> PendingPromise::MakeValue {
            std::vector<char> buffer(domino::kPathBufferBytes);
            CurrentCall::note("OSGetEnvironmentString");
            const bool set = api.OSGetEnvironmentString(domino::toLmbcs(api, name).c_str(), buffer.data(),
                                                        static_cast<domino::WORD>(buffer.size() - 1)) != 0;
            const std::string value = set ? domino::fromLmbcs(api, buffer.data()) : std::string{};
            return [value](Napi::Env env) { return Napi::String::New(env, value); };
        });
}

Napi::Value findDatabases(const Napi::CallbackInfo& info) {
    const auto options = info[0].As<Napi::Object>();
    const std::string dataDirectory = stringOf(options, "dataDirectory");
    const std::vector<std::string> exclude = stringsOf(options, "excludeDirectories");
    return runOnThread(info.Env(), "domino-vss find", [dataDirectory, exclude]() -> PendingPromise::MakeValue {
        const auto columns = std::make_shared<const CatalogColumns>(domino::findDatabases(dataDirectory, exclude));
        return [columns](Napi::Env env) { return columns->toObject(env); };
    });
}

Napi::Value inspectVolume(const Napi::CallbackInfo& info) {
    const std::string path = info[0].As<Napi::String>().Utf8Value();
    return runOnThread(info.Env(), "domino-vss volume", [path]() -> PendingPromise::MakeValue {
        return [volume = MountTable().volumeOf(path)](Napi::Env env) { return toObject(env, volume); };
    });
}

Napi::Value lockDirectory(const Napi::CallbackInfo& info) {
    const std::string directory = info[0].As<Napi::String>().Utf8Value();
    return runOnThread(info.Env(), "domino-vss lock", [directory]() -> PendingPromise::MakeValue {
        // Shared with the release function. When the environment ends, the function is destroyed and the lock with it.
        const auto lock = std::make_shared<std::optional<DirectoryLock>>(DirectoryLock::tryTake(directory));
        return [lock](Napi::Env env) -> Napi::Value {
            if (!lock->has_value()) return env.Null();
            Napi::Object object = Napi::Object::New(env);
            object["release"] = Napi::Function::New(env, [lock](const Napi::CallbackInfo&) { lock->reset(); });
            return object;
        };
    });
}

Napi::Value probeReflink(const Napi::CallbackInfo& info) {
    const std::string directory = info[0].As<Napi::String>().Utf8Value();
    return runOnThread(info.Env(), "domino-vss reflink probe", [directory]() -> PendingPromise::MakeValue {
        return [works = shadow::probeReflink(directory)](Napi::Env env) { return Napi::Boolean::New(env, works); };
    });
}

Napi::Value applyChangeInfo(const Napi::CallbackInfo& info) {
    const auto options = info[0].As<Napi::Object>();
    domino::ChangeInfoFile file;
    file.copyFile = stringOf(options, "copyFile");
    file.deltaFile = stringOf(options, "deltaFile");
    file.announcedBytes = static_cast<std::uint64_t>(options.Get("announcedBytes").As<Napi::Number>().Int64Value());
    file.pieceBytes = options.Get("pieceBytes").As<Napi::Number>().Uint32Value();
    std::vector<std::uint32_t> pieces;
    if (const Napi::Value lengths = options.Get("irregularPieces"); lengths.IsTypedArray()) {
        const auto array = lengths.As<Napi::Uint32Array>();
        pieces.assign(array.Data(), array.Data() + array.ElementLength());
    }
    return runInRuntime(info.Env(), "domino-vss apply",
                        [file, pieces](const domino::Api& api) -> PendingPromise::MakeValue {
                            domino::ChangeInfoFile described = file;
                            described.irregularPieces = pieces;
                            domino::applyChangeInfo(api, described);
                            return undefined();
                        });
}

Napi::Value takeDatabaseOffline(const Napi::CallbackInfo& info) {
    const auto options = info[0].As<Napi::Object>();
    const std::string file = stringOf(options, "file");
    const std::chrono::milliseconds wait(options.Get("waitMs").As<Napi::Number>().Int64Value());
    return runInRuntime(info.Env(), "domino-vss offline",
                        [file, wait](const domino::Api& api) -> PendingPromise::MakeValue {
                            domino::takeDatabaseOffline(api, file, wait);
                            return undefined();
                        });
}

Napi::Value bringDatabaseOnline(const Napi::CallbackInfo& info) {
    const std::string file = stringOf(info[0].As<Napi::Object>(), "file");
    return runInRuntime(info.Env(), "domino-vss online", [file](const domino::Api& api) -> PendingPromise::MakeValue {
        domino::bringDatabaseOnline(api, file);
        return undefined();
    });
}

/// An optional list.
std::vector<Napi::Object> objectsOf(const Napi::Object& object, const char* key) {
    std::vector<Napi::Object> objects;
    if (const Napi::Value list = object.Get(key); list.IsArray()) {
        const auto array = list.As<Napi::Array>();
        for (std::uint32_t i = 0; i < array.Length(); ++i) objects.push_back(array.Get(i).As<Napi::Object>());
    }
    return objects;
}

domino::UNID unidOf(const Napi::Object& object) {
    const auto bytes = object.Get("logId").As<Napi::Uint8Array>();
    domino::UNID unid{};
    std::memcpy(&unid, bytes.Data(), std::min(sizeof unid, bytes.ByteLength()));
    return unid;
}

Napi::Value recoverDatabases(const Napi::CallbackInfo& info) {
    const auto options = info[0].As<Napi::Object>();
    domino::RecoverOptions recover{stringsOf(options, "files"),
                                   options.Get("newDbiid").As<Napi::Boolean>().Value(),
                                   options.Get("newReplicaId").As<Napi::Boolean>().Value(),
                                   {},
                                   {},
                                   {}};
    if (const Napi::Value time = options.Get("pointInTime"); time.IsArray()) {
        const auto innards = time.As<Napi::Array>();
        recover.pointInTime = domino::TIMEDATE{
            {innards.Get(0U).As<Napi::Number>().Uint32Value(), innards.Get(1U).As<Napi::Number>().Uint32Value()}};
    }
    for (const Napi::Object& object : objectsOf(options, "extents")) {
        const auto sizeBytes = static_cast<std::uint64_t>(object.Get("sizeBytes").As<Napi::Number>().Int64Value());
        recover.extents.push_back({unidOf(object), object.Get("number").As<Napi::Number>().Uint32Value(),
                                   stringOf(object, "file"), sizeBytes});
    }
    for (const Napi::Object& object : objectsOf(options, "logArchives"))
        recover.logArchives.push_back({unidOf(object), stringOf(object, "directory")});
    return runInRuntime(info.Env(), "domino-vss recover",
                        [recover](const domino::Api& api) -> PendingPromise::MakeValue {
                            const domino::TIMEDATE reached = domino::recoverDatabases(api, recover);
                            return [reached](Napi::Env env) {
                                Napi::Array innards = Napi::Array::New(env, 2);
                                innards.Set(0U, reached.Innards[0]);
                                innards.Set(1U, reached.Innards[1]);
                                Napi::Object object = Napi::Object::New(env);
                                object["lastApplied"] = innards;
                                return object;
                            };
                        });
}

Napi::Value readIdentities(const Napi::CallbackInfo& info) {
    const std::vector<std::string> paths = stringsOf(info[0].As<Napi::Object>(), "paths");
    return runInRuntime(
        info.Env(), "domino-vss identities", [paths](const domino::Api& api) -> PendingPromise::MakeValue {
            return [found = domino::readIdentities(api, paths)](Napi::Env env) { return toObject(env, found); };
        });
}

Napi::Value endAbandonedBackups(const Napi::CallbackInfo& info) {
    const std::vector<std::string> paths = stringsOf(info[0].As<Napi::Object>(), "paths");
    return runInRuntime(info.Env(), "domino-vss abandoned",
                        [paths](const domino::Api& api) -> PendingPromise::MakeValue {
                            return [outcome = domino::endAbandonedBackups(api, paths)](Napi::Env env) {
                                Napi::Object object = Napi::Object::New(env);
                                Napi::Uint8Array states = Napi::Uint8Array::New(env, outcome.states.size());
                                std::ranges::copy(outcome.states, states.Data());
                                Napi::Array failures = Napi::Array::New(env, outcome.failures.size());
                                for (std::uint32_t i = 0; i < outcome.failures.size(); ++i) {
                                    Napi::Object row = Napi::Object::New(env);
                                    row["index"] = outcome.failures[i].first;
                                    row["failure"] = addon::toObject(env, outcome.failures[i].second);
                                    failures.Set(i, row);
                                }
                                object["states"] = states;
                                object["failures"] = failures;
                                return object;
                            };
                        });
}

Napi::Value writeSystemLog(const Napi::CallbackInfo& info) {
    const auto object = info[0].As<Napi::Object>();
    SystemLogEntry entry;
    entry.severity = object.Get("isError").As<Napi::Boolean>().Value() ? SystemLogEntry::Severity::error
                                                                       : SystemLogEntry::Severity::warning;
    entry.message = stringOf(object, "message");
    const auto fields = object.Get("fields").As<Napi::Array>();
    for (std::uint32_t i = 0; i < fields.Length(); ++i) {
        const auto field = fields.Get(i).As<Napi::Array>();
        entry.fields.emplace_back(field.Get(0U).As<Napi::String>().Utf8Value(),
                                  field.Get(1U).As<Napi::String>().Utf8Value());
    }
    return runOnThread(info.Env(), "domino-vss system log", [entry] {
        domino_vss::writeSystemLog(entry);
        return undefined();
    });
}

Napi::Value removeTree(const Napi::CallbackInfo& info) {
    const std::string path = info[0].As<Napi::String>().Utf8Value();
    return runOnThread(info.Env(), "domino-vss removal", [path] {
        domino_vss::removeTree(path, code::kFileSystem);
        return undefined();
    });
}

/// For process exit: synchronous.
Napi::Value removeTreeNow(const Napi::CallbackInfo& info) {
    try {
        domino_vss::removeTree(info[0].As<Napi::String>().Utf8Value(), code::kFileSystem);
    } catch (const Failure& failure) {
        napi_throw(info.Env(), addon::toObject(info.Env(), failure));
    }
    return info.Env().Undefined();
}

#ifndef _WIN32
Napi::Value deleteSubvolume(const Napi::CallbackInfo& info) {
    const std::string path = info[0].As<Napi::String>().Utf8Value();
    return runOnThread(info.Env(), "domino-vss subvolume", [path] {
        shadow::deleteBtrfsSubvolume(path);
        return undefined();
    });
}

Napi::Value setSubvolumeReadOnly(const Napi::CallbackInfo& info) {
    const std::string path = info[0].As<Napi::String>().Utf8Value();
    const bool readOnly = info[1].As<Napi::Boolean>().Value();
    return runOnThread(info.Env(), "domino-vss subvolume", [path, readOnly] {
        shadow::setBtrfsSubvolumeReadOnly(path, readOnly);
        return undefined();
    });
}
#endif

Napi::Value runCanary(const Napi::CallbackInfo& info) {
    const auto options = info[0].As<Napi::Object>();
    const std::string server = stringOf(options, "serverName");
    const std::string database = stringOf(options, "database");
    return runInRuntime(info.Env(), "domino-vss canary",
                        [server, database](const domino::Api& api) -> PendingPromise::MakeValue {
                            const std::uint64_t bytes = domino::runCanary(api, server, database);
                            return [bytes, database](Napi::Env env) {
                                Napi::Object object = Napi::Object::New(env);
                                object["recorded"] = Napi::Boolean::New(env, bytes > 0);
                                object["changeInfoBytes"] = static_cast<double>(bytes);
                                object["database"] = database;
                                return object;
                            };
                        });
}

Napi::Object toObject(Napi::Env env, const AbortOutcome& outcome) {
    Napi::Object object = Napi::Object::New(env);
    object["abortedSessions"] = outcome.abortedSessions;
    object["unansweredSessions"] = outcome.unansweredSessions;
    object["stuckDatabases"] = outcome.stuckDatabases;
    return object;
}

Napi::Value shutdown(const Napi::CallbackInfo& info) {
#ifdef _WIN32
    closeAllWriters();
#endif
    const AbortOutcome outcome = abortAllSessions();
    endAllArchiving();
    const bool hangs = !domino::runtime::terminate(kTerminateTimeout);
    Napi::Object object = toObject(info.Env(), outcome);
    object["runtimeHangs"] = Napi::Boolean::New(info.Env(), hangs);
    return object;
}

/// Ends the process at once. Used when a thread hangs: a normal exit would wait for it or unload Domino under it.
Napi::Value leave(const Napi::CallbackInfo& info) {
    endProcess(info[0].As<Napi::Number>().Int32Value());
}

Napi::Value abortSessions(const Napi::CallbackInfo& info) {
#ifdef _WIN32
    closeWritersOf(info.Env());
#endif
    Napi::Object object = toObject(info.Env(), abortSessionsOf(info.Env()));
    endArchivingOf(info.Env());
    object["runtimeHangs"] = Napi::Boolean::New(info.Env(), false);  // the runtime belongs to the process
    return object;
}

#ifdef _WIN32
Napi::Value makePrivateDirectory(const Napi::CallbackInfo& info) {
    const std::string path = info[0].As<Napi::String>().Utf8Value();
    return runOnThread(info.Env(), "domino-vss private directory", [path] {
        domino_vss::makePrivateDirectory(path);
        return undefined();
    });
}

Napi::Value createPrivateDirectory(const Napi::CallbackInfo& info) {
    const std::string path = info[0].As<Napi::String>().Utf8Value();
    return runOnThread(info.Env(), "domino-vss private directory", [path] {
        domino_vss::createPrivateDirectory(path);
        return undefined();
    });
}

Napi::Value directoryAccess(const Napi::CallbackInfo& info) {
    const std::string path = info[0].As<Napi::String>().Utf8Value();
    return runOnThread(info.Env(), "domino-vss directory access", [path]() -> PendingPromise::MakeValue {
        const bool othersOwn = ownedByOrdinaryUser(path, code::kFileSystem);
        return [othersOwn, open = openToOrdinaryUsers(path, code::kFileSystem)](Napi::Env env) {
            Napi::Object object = Napi::Object::New(env);
            object["othersOwn"] = othersOwn;
            object["othersChange"] = open;
            return object;
        };
    });
}

Napi::Value dominoRegistration(const Napi::CallbackInfo& info) {
    const Napi::Env env = info.Env();
    try {
        const domino::Registration registration = domino::readRegistration();
        Napi::Object object = Napi::Object::New(env);
        object["programDirectory"] = registration.programDirectory;
        object["dataDirectory"] = registration.dataDirectory;
        Napi::Array services = Napi::Array::New(env, registration.services.size());
        for (std::uint32_t i = 0; i < registration.services.size(); ++i) services.Set(i, registration.services[i]);
        object["services"] = services;
        return object;
    } catch (const Failure& failure) {
        napi_throw(env, addon::toObject(env, failure));
        return env.Undefined();
    }
}
#endif

}  // namespace

/// One instance per environment. Process-wide state belongs to the runtime and the session registry.
class Addon final : public Napi::Addon<Addon> {
public:
    Addon(Napi::Env env, Napi::Object exports) : session_(Napi::Persistent(SessionObject::define(env))) {
        // In the main thread, `process.exit()` does not run this hook; the exit listener of lib/ does the same there.
        env.AddCleanupHook([environment = napi_env{env}] {
#ifdef _WIN32
            closeWritersOf(environment);
#endif
            static_cast<void>(abortSessionsOf(environment));
            endArchivingOf(environment);
        });
        DefineAddon(exports, {
                                 InstanceMethod("createSession", &Addon::createSession),
                             });
        exports["openRuntime"] = Napi::Function::New(env, openRuntime);
        exports["currentRuntime"] = Napi::Function::New(env, currentRuntime);
        exports["transactionLogStyle"] = Napi::Function::New(env, transactionLogStyle);
        exports["beginArchivingLogs"] = Napi::Function::New(env, beginArchivingLogs);
        exports["notesIniValue"] = Napi::Function::New(env, notesIniValue);
        exports["findDatabases"] = Napi::Function::New(env, findDatabases);
        exports["inspectVolume"] = Napi::Function::New(env, inspectVolume);
        exports["lockDirectory"] = Napi::Function::New(env, lockDirectory);
        exports["probeReflink"] = Napi::Function::New(env, probeReflink);
        exports["applyChangeInfo"] = Napi::Function::New(env, applyChangeInfo);
        exports["takeDatabaseOffline"] = Napi::Function::New(env, takeDatabaseOffline);
        exports["bringDatabaseOnline"] = Napi::Function::New(env, bringDatabaseOnline);
        exports["recoverDatabases"] = Napi::Function::New(env, recoverDatabases);
        exports["readIdentities"] = Napi::Function::New(env, readIdentities);
        exports["endAbandonedBackups"] = Napi::Function::New(env, endAbandonedBackups);
        exports["runCanary"] = Napi::Function::New(env, runCanary);
        exports["shutdown"] = Napi::Function::New(env, shutdown);
        exports["leave"] = Napi::Function::New(env, leave);
        exports["writeSystemLog"] = Napi::Function::New(env, writeSystemLog);
        exports["removeTree"] = Napi::Function::New(env, removeTree);
        exports["removeTreeNow"] = Napi::Function::New(env, removeTreeNow);
        exports["abortSessions"] = Napi::Function::New(env, abortSessions);
#ifndef _WIN32
        exports["deleteSubvolume"] = Napi::Function::New(env, deleteSubvolume);
        exports["setSubvolumeReadOnly"] = Napi::Function::New(env, setSubvolumeReadOnly);
#endif
#ifdef _WIN32
        exports["services"] = serviceObject(env);
        exports["makePrivateDirectory"] = Napi::Function::New(env, makePrivateDirectory);
        exports["createPrivateDirectory"] = Napi::Function::New(env, createPrivateDirectory);
        exports["directoryAccess"] = Napi::Function::New(env, directoryAccess);
        exports["dominoRegistration"] = Napi::Function::New(env, dominoRegistration);
        exports["vss"] = vssObject(env);
        exports["processStart"] = Napi::Function::New(env, [](const Napi::CallbackInfo& info) {
            return Napi::String::New(info.Env(), processStart(info[0].As<Napi::Number>().Uint32Value()));
        });
#endif
    }

private:
    Napi::Value createSession(const Napi::CallbackInfo& info) {
        // A Failure thrown in the constructor of a wrapped class would lose its code.
        if (stringOf(info[0].As<Napi::Object>(), "source") == "domino" && domino::runtime::current() == nullptr) {
            const Failure failure(code::kDominoNotOpen, Phase::runtime, "no Domino runtime is open in this process");
            napi_throw(info.Env(), toObject(info.Env(), failure));
            return info.Env().Undefined();
        }
        return session_.New({info[0]});
    }

    Napi::FunctionReference session_;
};

NODE_API_ADDON(Addon)

}  // namespace domino_vss::addon
