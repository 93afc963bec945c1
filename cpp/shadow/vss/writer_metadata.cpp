#include "shadow/vss/writer_metadata.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "shadow/vss/async_operation.h"
#include "shadow/vss/com_failure.h"
#include "shadow/vss/com_string.h"
#include "shadow/vss/vss_codes.h"

namespace domino_vss::vss {

namespace {

FileSpecification readFile(IVssWMFiledesc& description, Phase phase) {
    Bstr path;
    Bstr fileSpec;
    VssBool recursive{};
    require([&] { return description.GetPath(path.put()); }, "IVssWMFiledesc::GetPath", phase);
    require([&] { return description.GetFilespec(fileSpec.put()); }, "IVssWMFiledesc::GetFilespec", phase);
    require([&] { return description.GetRecursive(&recursive); }, "IVssWMFiledesc::GetRecursive", phase);
    return {path.utf8(), fileSpec.utf8(), recursive != 0};
}

/// Frees the description of a component through the component.
class ComponentInfo {
public:
    ComponentInfo(IVssWMComponent& component, Phase phase) : component_(component) {
        require([&] { return component_.GetComponentInfo(&info_); }, "IVssWMComponent::GetComponentInfo", phase);
    }
    ComponentInfo(const ComponentInfo&) = delete;
    ComponentInfo& operator=(const ComponentInfo&) = delete;
    ~ComponentInfo() { component_.FreeComponentInfo(info_); }

    const VSS_COMPONENTINFO* operator->() const noexcept { return info_; }

private:
    IVssWMComponent& component_;
    PVSSCOMPONENTINFO info_ = nullptr;
};

WriterComponent readComponent(IVssWMComponent& component, Phase phase) {
    const ComponentInfo info(component, phase);
    WriterComponent read;
    read.type = static_cast<std::int32_t>(info->type);
    read.logicalPath = utf8Of(info->bstrLogicalPath);
    read.name = utf8Of(info->bstrComponentName);
    read.caption = utf8Of(info->bstrCaption);
    read.selectable = info->bSelectable != 0;
    read.selectableForRestore = info->bSelectableForRestore != 0;
    for (UINT i = 0; i < info->cFileCount; ++i) {
        ComPtr<IVssWMFiledesc> file;
        require([&] { return component.GetFile(i, file.GetAddressOf()); }, "IVssWMComponent::GetFile", phase,
                read.name);
        read.files.push_back(readFile(*file.Get(), phase));
    }
    for (UINT i = 0; i < info->cDatabases; ++i) {
        ComPtr<IVssWMFiledesc> file;
        require([&] { return component.GetDatabaseFile(i, file.GetAddressOf()); }, "IVssWMComponent::GetDatabaseFile",
                phase, read.name);
        read.files.push_back(readFile(*file.Get(), phase));
    }
    for (UINT i = 0; i < info->cLogFiles; ++i) {
        ComPtr<IVssWMFiledesc> file;
        require([&] { return component.GetDatabaseLogFile(i, file.GetAddressOf()); },
                "IVssWMComponent::GetDatabaseLogFile", phase, read.name);
        read.files.push_back(readFile(*file.Get(), phase));
    }
    return read;
}

/// Empty if this Windows or the writer has none.
std::string instanceNameOf(IVssExamineWriterMetadata& metadata) {
    ComPtr<IVssExamineWriterMetadataEx> extended;
    VSS_ID instance{};
    VSS_ID id{};
    Bstr name;
    Bstr instanceName;
    VSS_USAGE_TYPE usage{};
    VSS_SOURCE_TYPE source{};
    if (FAILED(metadata.QueryInterface(IID_PPV_ARGS(extended.GetAddressOf()))) ||
        FAILED(extended->GetIdentityEx(&instance, &id, name.put(), instanceName.put(), &usage, &source)))
        return {};
    return instanceName.utf8();
}

Writer readWriter(IVssExamineWriterMetadata& metadata, Phase phase) {
    Writer writer;
    VSS_ID instance{};
    VSS_ID id{};
    Bstr name;
    VSS_USAGE_TYPE usage{};
    VSS_SOURCE_TYPE source{};
    require([&] { return metadata.GetIdentity(&instance, &id, name.put(), &usage, &source); },
            "IVssExamineWriterMetadata::GetIdentity", phase);
    writer.id = guidOf(id);
    writer.instanceId = guidOf(instance);
    writer.name = name.utf8();
    writer.instanceName = instanceNameOf(metadata);
    writer.usage = static_cast<std::int32_t>(usage);
    writer.source = static_cast<std::int32_t>(source);

    WriterMetadata read;
    UINT included = 0;
    UINT excluded = 0;
    UINT components = 0;
    require([&] { return metadata.GetFileCounts(&included, &excluded, &components); },
            "IVssExamineWriterMetadata::GetFileCounts", phase, writer.name);
    for (UINT i = 0; i < excluded; ++i) {
        ComPtr<IVssWMFiledesc> file;
        require([&] { return metadata.GetExcludeFile(i, file.GetAddressOf()); },
                "IVssExamineWriterMetadata::GetExcludeFile", phase, writer.name);
        read.excludedFiles.push_back(readFile(*file.Get(), phase));
    }
    for (UINT i = 0; i < components; ++i) {
        ComPtr<IVssWMComponent> component;
        require([&] { return metadata.GetComponent(i, component.GetAddressOf()); },
                "IVssExamineWriterMetadata::GetComponent", phase, writer.name);
        read.components.push_back(readComponent(*component.Get(), phase));
    }
    Bstr document;
    require([&] { return metadata.SaveAsXML(document.put()); }, "IVssExamineWriterMetadata::SaveAsXML", phase,
            writer.name);
    read.document = document.utf8();
    writer.metadata = std::make_shared<const WriterMetadata>(std::move(read));
    return writer;
}

/// Uses GetWriterStatusEx if available, otherwise GetWriterStatus. Returns the writer's instance id.
Guid readStatus(IVssBackupComponents& components, IVssBackupComponentsEx3* extended, UINT index,
                std::vector<Writer>& writers, Phase phase) {
    VSS_ID instance{};
    VSS_ID id{};
    Bstr name;
    VSS_WRITER_STATE state{};
    HRESULT failure = S_OK;
    HRESULT applicationFailure = S_OK;
    Bstr message;
    if (extended != nullptr)
        require(
            [&] {
                return extended->GetWriterStatusEx(index, &instance, &id, name.put(), &state, &failure,
                                                   &applicationFailure, message.put());
            },
            "IVssBackupComponentsEx3::GetWriterStatusEx", phase);
    else
        require([&] { return components.GetWriterStatus(index, &instance, &id, name.put(), &state, &failure); },
                "IVssBackupComponents::GetWriterStatus", phase);
    const auto writer = std::ranges::find(writers, guidOf(instance), &Writer::instanceId);
    if (writer == writers.end()) return guidOf(instance);  // appeared after the metadata was gathered
    writer->state = static_cast<std::int32_t>(state);
    writer->failure = static_cast<std::uint32_t>(failure);
    writer->applicationFailure = static_cast<std::uint32_t>(applicationFailure);
    writer->applicationMessage = message.utf8();
    return writer->instanceId;
}

}  // namespace

std::vector<Writer> gatherWriters(IVssBackupComponents& components, const engine::Limits& limits, Phase phase) {
    AsyncOperation gathering("IVssBackupComponents::GatherWriterMetadata", phase);
    require([&] { return components.GatherWriterMetadata(gathering.put()); },
            "IVssBackupComponents::GatherWriterMetadata", phase);
    gathering.await(limits);
    UINT count = 0;
    require([&] { return components.GetWriterMetadataCount(&count); }, "IVssBackupComponents::GetWriterMetadataCount",
            phase);
    std::vector<Writer> writers;
    for (UINT i = 0; i < count; ++i) {
        VSS_ID instance{};
        ComPtr<IVssExamineWriterMetadata> metadata;
        require([&] { return components.GetWriterMetadata(i, &instance, metadata.GetAddressOf()); },
                "IVssBackupComponents::GetWriterMetadata", phase);
        writers.push_back(readWriter(*metadata.Get(), phase));
    }
    return writers;
}

void gatherWriterStatus(IVssBackupComponents& components, std::vector<Writer>& writers, const engine::Limits& limits,
                        Phase phase) {
    AsyncOperation gathering("IVssBackupComponents::GatherWriterStatus", phase);
    require([&] { return components.GatherWriterStatus(gathering.put()); }, "IVssBackupComponents::GatherWriterStatus",
            phase);
    gathering.await(limits);
    ComPtr<IVssBackupComponentsEx3> extended;
    static_cast<void>(components.QueryInterface(IID_PPV_ARGS(extended.GetAddressOf())));
    UINT count = 0;
    require([&] { return components.GetWriterStatusCount(&count); }, "IVssBackupComponents::GetWriterStatusCount",
            phase);
    for (Writer& writer : writers) {
        writer.state = 0;
        writer.failure = writer.applicationFailure = 0;
        writer.vanished = false;
        writer.applicationMessage.clear();
    }
    std::vector<Guid> heardOf;
    for (UINT i = 0; i < count; ++i) heardOf.push_back(readStatus(components, extended.Get(), i, writers, phase));
    static_cast<void>(components.FreeWriterStatus());
    // A writer's service may have stopped since. Writers excluded by class or instance are never in the list.
    for (Writer& writer : writers) {
        const bool isLeftOut = writer.exclusion == Exclusion::asked || writer.exclusion == Exclusion::domino;
        writer.vanished = !isLeftOut && std::ranges::find(heardOf, writer.instanceId) == heardOf.end();
        if (writer.vanished) writer.failure = result::kWriterNotResponding;
    }
}

Failure writerFailure(const Writer& writer, const char* operation, Phase phase) {
    constexpr std::uint32_t kUnexpectedWriterError = 0x80042315;
    const std::uint32_t status = writer.failure != 0 ? writer.failure : kUnexpectedWriterError;
    Failure failure = comFailure(static_cast<HRESULT>(status), operation, phase, writer.name);
    failure.code = code::kVssWriter;
    if (!writer.applicationMessage.empty()) failure.text += ": " + writer.applicationMessage;
    return failure;
}

}  // namespace domino_vss::vss
