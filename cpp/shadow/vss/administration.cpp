#include "shadow/vss/administration.h"

#include <algorithm>
#include <memory>

#include "shadow/vss/async_operation.h"
#include "shadow/vss/com_failure.h"
#include "shadow/vss/com_string.h"
#include "shadow/vss/volume_name.h"
#include "shadow/vss/vss_codes.h"
#include "shadow/vss/vssapi_library.h"
#include "shadow/vss/writer_metadata.h"
#include "system/path.h"
#include "system/windows_resources.h"

namespace domino_vss::vss {

using engine::Limits;

namespace {

/// An object that can see shadows of all kinds.
ComPtr<IVssBackupComponents> administrativeComponents(BSTR document = nullptr) {
    ComPtr<IVssBackupComponents> components = createBackupComponents();
    require([&] { return components->InitializeForBackup(document); }, "IVssBackupComponents::InitializeForBackup",
            Phase::probe);
    require([&] { return components->SetContext(static_cast<LONG>(VSS_CTX_ALL)); }, "IVssBackupComponents::SetContext",
            Phase::probe);
    return components;
}

ComPtr<IVssBackupComponentsEx2> extended(const ComPtr<IVssBackupComponents>& components) {
    ComPtr<IVssBackupComponentsEx2> found;
    require([&] { return components.As(&found); }, "IVssBackupComponents::QueryInterface", Phase::probe,
            "IVssBackupComponentsEx2");
    return found;
}

/// Calls `visit` for each object.
template <typename Visit>
void query(IVssBackupComponents& components, VSS_OBJECT_TYPE type, Visit visit) {
    ComPtr<IVssEnumObject> objects;
    require([&] { return components.Query(GUID_NULL, VSS_OBJECT_NONE, type, objects.GetAddressOf()); },
            "IVssBackupComponents::Query", Phase::probe);
    while (objects) {
        VSS_OBJECT_PROP object{};
        ULONG fetched = 0;
        require([&] { return objects->Next(1, &object, &fetched); }, "IVssEnumObject::Next", Phase::probe);
        if (fetched == 0) return;
        visit(object);
    }
}

std::vector<ShadowProperties> shadowsSeenBy(IVssBackupComponents& components) {
    std::vector<ShadowProperties> shadows;
    query(components, VSS_OBJECT_SNAPSHOT, [&](VSS_OBJECT_PROP& object) {
        if (object.Type == VSS_OBJECT_SNAPSHOT) shadows.push_back(takeProperties(object.Obj.Snap));
    });
    return shadows;
}

}  // namespace

std::vector<ShadowProperties> listShadows() {
    return shadowsSeenBy(*administrativeComponents().Get());
}

std::vector<ProviderProperties> listProviders() {
    std::vector<ProviderProperties> providers;
    query(*administrativeComponents().Get(), VSS_OBJECT_PROVIDER, [&](VSS_OBJECT_PROP& object) {
        if (object.Type != VSS_OBJECT_PROVIDER) return;
        const VSS_PROVIDER_PROP& property = object.Obj.Prov;
        const unique_cotaskmem_string name(property.m_pwszProviderName);
        const unique_cotaskmem_string version(property.m_pwszProviderVersion);
        providers.push_back({guidOf(property.m_ProviderId), utf8Of(name.get()),
                             static_cast<std::int32_t>(property.m_eProviderType), utf8Of(version.get()),
                             guidOf(property.m_ProviderVersionId), guidOf(property.m_ClassId)});
    });
    return providers;
}

std::vector<Writer> listWriters(bool withStatus, const Limits& limits) {
    const ComPtr<IVssBackupComponents> components = createBackupComponents();
    require([&] { return components->InitializeForBackup(nullptr); }, "IVssBackupComponents::InitializeForBackup",
            Phase::probe);
    std::vector<Writer> writers = gatherWriters(*components.Get(), limits, Phase::probe);
    if (withStatus) gatherWriterStatus(*components.Get(), writers, limits, Phase::probe);
    return writers;
}

bool isVolumeSupported(const std::string& volume, const Guid& providerId) {
    const ComPtr<IVssBackupComponents> components = createBackupComponents();
    require([&] { return components->InitializeForBackup(nullptr); }, "IVssBackupComponents::InitializeForBackup",
            Phase::probe);
    std::wstring name = toUtf16(volumeNameOf(volume, Phase::probe));
    BOOL supported = FALSE;
    require([&] { return components->IsVolumeSupported(vssId(providerId), name.data(), &supported); },
            "IVssBackupComponents::IsVolumeSupported", Phase::probe, volume);
    return supported != FALSE;
}

std::string exposeShadow(const Exposure& exposure) {
    const bool local = exposure.kind == ExposureKind::local;
    std::wstring as = toUtf16(exposure.as);
    const bool isLetter = local && as.size() >= 2 && as.size() <= 3 && as[1] == L':';
    // A drive letter must not end in a backslash; a directory must.
    if (local) {
        while (as.ends_with(L'\\')) as.pop_back();
        if (!isLetter) as += L'\\';
    }
    std::wstring path = toUtf16(exposure.pathFromRoot);
    VSS_PWSZ exposed = nullptr;
    const ComPtr<IVssBackupComponents> components = administrativeComponents();
    require(
        [&] {
            return components->ExposeSnapshot(
                vssId(exposure.id), path.empty() ? nullptr : path.data(),
                local ? VSS_VOLSNAP_ATTR_EXPOSED_LOCALLY : VSS_VOLSNAP_ATTR_EXPOSED_REMOTELY,
                as.empty() ? nullptr : as.data(), &exposed);
        },
        "IVssBackupComponents::ExposeSnapshot", Phase::end, exposure.as);
    const unique_cotaskmem_string place(exposed);
    return utf8Of(place.get());
}

void unexposeShadow(const Guid& id) {
    const ComPtr<IVssBackupComponentsEx2> components = extended(administrativeComponents());
    require([&] { return components->UnexposeSnapshot(vssId(id)); }, "IVssBackupComponentsEx2::UnexposeSnapshot",
            Phase::end, formatGuid(id));
}

std::vector<Failure> unexposeSet(const Guid& setId) {
    const ComPtr<IVssBackupComponents> components = administrativeComponents();
    const ComPtr<IVssBackupComponentsEx2> extension = extended(components);
    std::vector<Failure> failures;
    for (const ShadowProperties& shadow : shadowsSeenBy(*components.Get())) {
        if (shadow.setId != setId || shadow.exposedName.empty()) continue;
        CurrentCall::note("IVssBackupComponentsEx2::UnexposeSnapshot", shadow.exposedName);
        const HRESULT result = extension->UnexposeSnapshot(vssId(shadow.id));
        if (FAILED(result) && static_cast<std::uint32_t>(result) != result::kObjectNotFound)
            failures.push_back(
                comFailure(result, "IVssBackupComponentsEx2::UnexposeSnapshot", Phase::end, shadow.exposedName));
    }
    return failures;
}

Deletion deleteShadows(const Guid& id, DeletionKind kind, bool force) {
    LONG count = 0;
    VSS_ID notDeleted{};
    const ComPtr<IVssBackupComponents> components = administrativeComponents();
    CurrentCall::note("IVssBackupComponents::DeleteSnapshots", formatGuid(id));
    const HRESULT result = components->DeleteSnapshots(
        vssId(id), kind == DeletionKind::set ? VSS_OBJECT_SNAPSHOT_SET : VSS_OBJECT_SNAPSHOT, force ? TRUE : FALSE,
        &count, &notDeleted);
    Deletion deletion;
    deletion.deleted = static_cast<std::int32_t>(count);
    if (FAILED(result) && static_cast<std::uint32_t>(result) != result::kObjectNotFound) {
        deletion.failure = comFailure(result, "IVssBackupComponents::DeleteSnapshots", Phase::end, formatGuid(id));
        deletion.notDeletedId = guidOf(notDeleted);
    }
    return deletion;
}

void breakSnapshotSet(const Guid& setId, std::uint32_t flags, const Limits& limits) {
    const ComPtr<IVssBackupComponents> components = administrativeComponents();
    if (flags == 0) {
        require([&] { return components->BreakSnapshotSet(vssId(setId)); }, "IVssBackupComponents::BreakSnapshotSet",
                Phase::end, formatGuid(setId));
        return;
    }
    const ComPtr<IVssBackupComponentsEx2> extension = extended(components);
    AsyncOperation breaking("IVssBackupComponentsEx2::BreakSnapshotSetEx", Phase::end);
    require([&] { return extension->BreakSnapshotSetEx(vssId(setId), flags, breaking.put()); },
            "IVssBackupComponentsEx2::BreakSnapshotSetEx", Phase::end, formatGuid(setId));
    breaking.await(limits);
}

std::vector<ShadowProperties> importShadows(const std::string& document, const Limits& limits) {
    const std::vector<ShadowProperties> before = listShadows();
    const Bstr xml(document);
    const ComPtr<IVssBackupComponents> components = administrativeComponents(xml.get());
    AsyncOperation importing("IVssBackupComponents::ImportSnapshots", Phase::restore);
    require([&] { return components->ImportSnapshots(importing.put()); }, "IVssBackupComponents::ImportSnapshots",
            Phase::restore);
    importing.await(limits);
    std::vector<ShadowProperties> shadows = shadowsSeenBy(*components.Get());
    std::erase_if(shadows, [&](const ShadowProperties& shadow) {
        return std::ranges::find(before, shadow.id, &ShadowProperties::id) != before.end();
    });
    return shadows;
}

void revertToShadow(const Guid& id, bool forceDismount) {
    const ComPtr<IVssBackupComponents> components = administrativeComponents();
    const std::string volume = shadowProperties(*components.Get(), id).volume;
    if (const auto shouldBlock = vssApi().shouldBlockRevert; shouldBlock != nullptr) {
        VssBool blocked{};
        require([&] { return shouldBlock(toUtf16(volume).c_str(), &blocked); }, "ShouldBlockRevert", Phase::restore,
                volume);
        if (blocked != 0)
            throw Failure(code::kVss, Phase::restore, "a writer on this machine does not allow a revert of the volume",
                          volume);
    }
    require([&] { return components->RevertToSnapshot(vssId(id), forceDismount ? TRUE : FALSE); },
            "IVssBackupComponents::RevertToSnapshot", Phase::restore, volume);
}

bool awaitRevert(const std::string& volume, const Limits& limits) {
    std::wstring name = toUtf16(volume);
    const ComPtr<IVssBackupComponents> components = administrativeComponents();
    AsyncOperation reverting("IVssBackupComponents::QueryRevertStatus", Phase::restore);
    CurrentCall::note("IVssBackupComponents::QueryRevertStatus", volume);
    const HRESULT result = components->QueryRevertStatus(name.data(), reverting.put());
    if (static_cast<std::uint32_t>(result) == result::kObjectNotFound) return true;
    require(result, "IVssBackupComponents::QueryRevertStatus", Phase::restore, volume);
    return reverting.awaitWithin(limits);
}

}  // namespace domino_vss::vss
