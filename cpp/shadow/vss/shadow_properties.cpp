#include "shadow/vss/shadow_properties.h"

#include <memory>

#include "shadow/vss/com_failure.h"
#include "shadow/vss/com_string.h"
#include "shadow/vss/vssapi_library.h"

namespace domino_vss::vss {

namespace {

/// FILETIME starts at 1601.
constexpr double kEpochAfterFileTimeMs = 11'644'473'600'000.0;

}  // namespace

ShadowProperties takeProperties(VSS_SNAPSHOT_PROP& property) {
    const std::unique_ptr<VSS_SNAPSHOT_PROP, void (*)(VSS_SNAPSHOT_PROP*)> owned(
        &property, [](VSS_SNAPSHOT_PROP* strings) { vssApi().freeSnapshotProperties(strings); });
    ShadowProperties taken;
    taken.id = guidOf(property.m_SnapshotId);
    taken.setId = guidOf(property.m_SnapshotSetId);
    taken.setCount = static_cast<std::int32_t>(property.m_lSnapshotsCount);
    taken.device = utf8Of(property.m_pwszSnapshotDeviceObject);
    while (taken.device.ends_with('\\')) taken.device.pop_back();
    taken.volume = utf8Of(property.m_pwszOriginalVolumeName);
    taken.originatingMachine = utf8Of(property.m_pwszOriginatingMachine);
    taken.serviceMachine = utf8Of(property.m_pwszServiceMachine);
    taken.exposedName = utf8Of(property.m_pwszExposedName);
    taken.exposedPath = utf8Of(property.m_pwszExposedPath);
    taken.providerId = guidOf(property.m_ProviderId);
    taken.attributes = static_cast<std::uint32_t>(property.m_lSnapshotAttributes);
    taken.createdMs = static_cast<double>(property.m_tsCreationTimestamp) / 1e4 - kEpochAfterFileTimeMs;
    taken.state = static_cast<std::int32_t>(property.m_eStatus);
    return taken;
}

ShadowProperties shadowProperties(IVssBackupComponents& components, const Guid& id) {
    VSS_SNAPSHOT_PROP property{};
    require([&] { return components.GetSnapshotProperties(vssId(id), &property); },
            "IVssBackupComponents::GetSnapshotProperties", Phase::shadow, formatGuid(id));
    return takeProperties(property);
}

}  // namespace domino_vss::vss
