#include "addon/records.h"

#include <algorithm>

namespace domino_vss::addon {

namespace {

Napi::Array toArray(Napi::Env env, const std::vector<std::string>& strings) {
    Napi::Array array = Napi::Array::New(env, strings.size());
    for (std::uint32_t i = 0; i < strings.size(); ++i) array.Set(i, strings[i]);
    return array;
}

const char* domainName(Domain domain) {
    switch (domain) {
        case Domain::domino: return "domino";
        case Domain::system: return "system";
        case Domain::com: return "com";
        case Domain::engine: return "engine";
    }
    return "engine";
}

}  // namespace

Napi::Object toObject(Napi::Env env, const Failure& failure) {
    Napi::Object object = Napi::Object::New(env);
    object["code"] = failure.code;
    object["phase"] = phaseName(failure.phase);
    object["operation"] = failure.operation;
    object["domain"] = domainName(failure.domain);
    object["status"] = failure.status;
    object["statusName"] = failure.statusName;
    object["text"] = failure.text;
    object["subject"] = failure.subject;
    return object;
}

Napi::Object toObject(Napi::Env env, const domino::RuntimeInfo& info) {
    Napi::Object object = Napi::Object::New(env);
    object["programDirectory"] = info.options.programDirectory;
    object["notesIni"] = info.options.notesIni;
    object["dataDirectory"] = info.dataDirectory;
    object["serverName"] = info.serverName;
    object["missingFunctions"] = toArray(env, info.missingFunctions);
    return object;
}

Napi::Object toObject(Napi::Env env, const Volume& volume) {
    Napi::Object object = Napi::Object::New(env);
    object["path"] = volume.path;
    object["mountPoint"] = volume.mountPoint;
    object["fileSystem"] = volume.fileSystem;
    object["device"] = volume.device;
    object["isSubvolume"] = Napi::Boolean::New(env, volume.isSubvolume);
    object["freeBytes"] = static_cast<double>(volume.freeBytes);
    return object;
}

Napi::Object toObject(Napi::Env env, const domino::DatabaseIdentities& found) {
    const std::size_t count = found.databases.size();
    Napi::Uint8Array replicaId = Napi::Uint8Array::New(env, count * 8);
    Napi::Uint8Array logged = Napi::Uint8Array::New(env, count);
    Napi::Uint8Array logId = Napi::Uint8Array::New(env, count * 16);
    Napi::Uint8Array dbiid = Napi::Uint8Array::New(env, count * 16);
    Napi::Uint8Array modified = Napi::Uint8Array::New(env, count * 16);
    for (std::size_t i = 0; i < count; ++i) {
        const domino::DatabaseIdentity& database = found.databases[i];
        std::ranges::copy(database.replicaId, replicaId.Data() + i * 8);
        logged[i] = database.log.logged ? 1 : 0;
        std::ranges::copy(database.log.logId, logId.Data() + i * 16);
        std::ranges::copy(database.log.dbiid, dbiid.Data() + i * 16);
        std::ranges::copy(database.modified, modified.Data() + i * 16);
    }
    Napi::Array failures = Napi::Array::New(env, found.failures.size());
    for (std::uint32_t i = 0; i < found.failures.size(); ++i) {
        Napi::Object row = Napi::Object::New(env);
        row["index"] = found.failures[i].first;
        row["failure"] = toObject(env, found.failures[i].second);
        failures.Set(i, row);
    }
    Napi::Object object = Napi::Object::New(env);
    object["replicaId"] = replicaId;
    object["logged"] = logged;
    object["logId"] = logId;
    object["dbiid"] = dbiid;
    object["modified"] = modified;
    object["failures"] = failures;
    return object;
}

std::vector<std::string> stringsOf(const Napi::Object& object, const char* key) {
    const auto array = object.Get(key).As<Napi::Array>();
    std::vector<std::string> strings;
    for (std::uint32_t i = 0; i < array.Length(); ++i) strings.push_back(array.Get(i).As<Napi::String>().Utf8Value());
    return strings;
}

}  // namespace domino_vss::addon
