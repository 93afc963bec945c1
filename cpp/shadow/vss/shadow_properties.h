#pragma once

#include <cstdint>
#include <string>

#include "shadow/vss/headers.h"

namespace domino_vss::vss {

/// A VSS_SNAPSHOT_PROP in our own types.
struct ShadowProperties {
    Guid id;
    Guid setId;
    std::int32_t setCount = 0;
    std::string device;  ///< without a trailing backslash
    std::string volume;
    std::string originatingMachine;
    std::string serviceMachine;
    std::string exposedName;
    std::string exposedPath;
    Guid providerId;
    std::uint32_t attributes = 0;
    double createdMs = 0;  ///< since the epoch
    std::int32_t state = 0;
};

/// Copies the properties and frees the memory that VSS allocated for them.
[[nodiscard]] ShadowProperties takeProperties(VSS_SNAPSHOT_PROP& property);

/// Calls GetSnapshotProperties. Throws Failure.
[[nodiscard]] ShadowProperties shadowProperties(IVssBackupComponents& components, const Guid& id);

}  // namespace domino_vss::vss
