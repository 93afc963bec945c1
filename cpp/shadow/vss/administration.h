#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/deadline.h"
#include "shadow/vss/shadow_properties.h"
#include "shadow/vss/writer.h"

namespace domino_vss::vss {

// Self-contained requests: each creates its own backup components object. Call them in an apartment. All throw Failure.

/// A VSS_PROVIDER_PROP in our own types.
struct ProviderProperties {
    Guid id;
    std::string name;
    std::int32_t type = 0;  ///< VSS_PROVIDER_TYPE
    std::string version;
    Guid versionId;
    Guid classId;
};

[[nodiscard]] std::vector<ShadowProperties> listShadows();
[[nodiscard]] std::vector<ProviderProperties> listProviders();
[[nodiscard]] std::vector<Writer> listWriters(bool withStatus, const engine::Limits& limits);
[[nodiscard]] bool isVolumeSupported(const std::string& volume, const Guid& providerId);

enum class ExposureKind : std::uint8_t { local, share };
struct Exposure {
    Guid id;
    ExposureKind kind = ExposureKind::local;
    std::string as;            ///< `X:`, an empty directory, or a share; if empty, VSS chooses the name of the share
    std::string pathFromRoot;  ///< shares only
};
/// Returns the place where the shadow is exposed.
[[nodiscard]] std::string exposeShadow(const Exposure& exposure);
void unexposeShadow(const Guid& id);

/// Unexposes the exposed shadows of the set. Returns the failures, with the place as the subject. Throws Failure if the
/// shadows cannot be listed.
[[nodiscard]] std::vector<Failure> unexposeSet(const Guid& setId);

enum class DeletionKind : std::uint8_t { shadow, set };
struct Deletion {
    std::int32_t deleted = 0;
    std::optional<Failure> failure;
    Guid notDeletedId;
};
/// Shadows that no longer exist are not a failure.
[[nodiscard]] Deletion deleteShadows(const Guid& id, DeletionKind kind, bool force);

/// `flags` are VSS_HARDWARE_OPTIONS.
void breakSnapshotSet(const Guid& setId, std::uint32_t flags, const engine::Limits& limits);
/// Returns the imported shadows.
[[nodiscard]] std::vector<ShadowProperties> importShadows(const std::string& document, const engine::Limits& limits);
void revertToShadow(const Guid& id, bool forceDismount);
/// Returns true if no revert of the volume is in progress any more.
[[nodiscard]] bool awaitRevert(const std::string& volume, const engine::Limits& limits);

}  // namespace domino_vss::vss
