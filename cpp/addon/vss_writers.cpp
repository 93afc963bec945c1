#include "addon/vss_writers.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "shadow/vss/vss_codes.h"

namespace domino_vss::addon {

namespace {

using vss::FileSpecification;
using vss::WriterComponent;

/// Writers with their file specifications, one row per writer: first those of its components, then the excluded ones.
/// The writers' metadata owns the specifications.
struct Writers {
    explicit Writers(std::vector<vss::Writer> writers) : list(std::move(writers)) {
        for (const vss::Writer& writer : list) {
            auto& row = files.emplace_back();
            for (const WriterComponent& component : writer.metadata->components)
                for (const FileSpecification& one : component.files) row.push_back(&one);
            for (const FileSpecification& one : writer.metadata->excludedFiles) row.push_back(&one);
        }
    }

    std::vector<vss::Writer> list;
    std::vector<std::vector<const FileSpecification*>> files;
};

Napi::Object toObject(Napi::Env env, const FileSpecification* files) {
    Napi::Object object = Napi::Object::New(env);
    object["path"] = files->path;
    object["fileSpec"] = files->fileSpec;
    object["recursive"] = Napi::Boolean::New(env, files->recursive);
    return object;
}

Napi::Object toObject(Napi::Env env, const WriterComponent& component) {
    Napi::Object object = Napi::Object::New(env);
    object["type"] = component.type;
    object["logicalPath"] = component.logicalPath;
    object["name"] = component.name;
    object["caption"] = component.caption;
    object["selectable"] = Napi::Boolean::New(env, component.selectable);
    object["selectableForRestore"] = Napi::Boolean::New(env, component.selectableForRestore);
    object["files"] = static_cast<double>(component.files.size());
    return object;
}

Napi::Object toObject(Napi::Env env, const vss::Writer& writer) {
    const vss::ResultCode* const failure = writer.failure == 0 ? nullptr : vss::findResultCode(writer.failure);
    Napi::Object object = Napi::Object::New(env);
    object["id"] = vss::formatGuid(writer.id);
    object["instanceId"] = vss::formatGuid(writer.instanceId);
    object["name"] = writer.name;
    object["usage"] = writer.usage;
    object["source"] = writer.source;
    object["components"] = static_cast<double>(writer.metadata->components.size());
    object["excludedFiles"] = static_cast<double>(writer.metadata->excludedFiles.size());
    object["state"] = writer.state;
    object["failure"] = writer.failure;
    object["failureName"] = std::string(failure == nullptr ? "" : failure->name);
    object["applicationFailure"] = writer.applicationFailure;
    object["applicationMessage"] = writer.applicationMessage;
    object["excluded"] = vss::exclusionName(writer.exclusion);
    return object;
}

/// At most `count` of the `items`, starting at `from`.
template <typename Items>
Napi::Array blockOf(const Napi::Object& block, const Items& items) {
    const auto number = [&](const char* key) {
        return static_cast<std::size_t>(block.Get(key).As<Napi::Number>().Int64Value());
    };
    const std::size_t from = std::min(number("from"), items.size());
    const std::size_t count = std::min(number("count"), items.size() - from);
    Napi::Array array = Napi::Array::New(block.Env(), count);
    for (std::size_t i = 0; i < count; ++i)
        array.Set(static_cast<std::uint32_t>(i), toObject(block.Env(), items[from + i]));
    return array;
}

/// The index of the requested writer.
std::size_t indexOf(const Napi::Value& value, const Writers& writers) {
    const auto index = static_cast<std::size_t>(value.As<Napi::Number>().Int64Value());
    if (index >= writers.list.size()) throw Napi::RangeError::New(value.Env(), "there is no such writer");
    return index;
}

}  // namespace

Napi::Object writersObject(Napi::Env env, std::vector<vss::Writer> writers) {
    const auto shared = std::make_shared<const Writers>(std::move(writers));
    Napi::Array list = Napi::Array::New(env, shared->list.size());
    for (std::size_t i = 0; i < shared->list.size(); ++i)
        list.Set(static_cast<std::uint32_t>(i), toObject(env, shared->list[i]));
    Napi::Object object = Napi::Object::New(env);
    object["list"] = list;
    object["components"] = Napi::Function::New(env, [shared](const Napi::CallbackInfo& info) -> Napi::Value {
        const auto block = info[0].As<Napi::Object>();
        return blockOf(block, shared->list[indexOf(block.Get("writer"), *shared)].metadata->components);
    });
    object["files"] = Napi::Function::New(env, [shared](const Napi::CallbackInfo& info) -> Napi::Value {
        const auto block = info[0].As<Napi::Object>();
        return blockOf(block, shared->files[indexOf(block.Get("writer"), *shared)]);
    });
    object["document"] = Napi::Function::New(env, [shared](const Napi::CallbackInfo& info) -> Napi::Value {
        return Napi::String::New(info.Env(), shared->list[indexOf(info[0], *shared)].metadata->document);
    });
    return object;
}

}  // namespace domino_vss::addon
