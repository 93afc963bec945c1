#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/deadline.h"
#include "shadow/vss/shadow_properties.h"
#include "shadow/vss/writer.h"

namespace domino_vss::vss {

// Requests that stand for themselves: each makes its own backup components object. In an apartment. All throw Failure.

/// VSS_PROVIDER_PROP in our own types.
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
    std::string as;            ///< `X:`, an empty directory, or a share; empty: VSS names the share
    std::string pathFromRoot;  ///< shares only
};
/// Returns the place.
[[nodiscard]] std::string exposeShadow(const Exposure& exposure);
void unexposeShadow(const Guid& id);

/// Takes away the places where shadows of the set are exposed, and returns what failed, each with its place. Throws
/// Failure when they cannot be asked for.
[[nodiscard]] std::vector<Failure> unexposeSet(const Guid& setId);

enum class DeletionKind : std::uint8_t { shadow, set };
struct Deletion {
    std::int32_t deleted = 0;
    std::optional<Failure> failure;
    Guid notDeletedId;
};
/// What is gone already is no failure.
[[nodiscard]] Deletion deleteShadows(const Guid& id, DeletionKind kind, bool force);

/// `flags` are VSS_HARDWARE_OPTIONS.
void breakSnapshotSet(const Guid& setId, std::uint32_t flags, const engine::Limits& limits);
/// Returns the shadows that were not there before.
[[nodiscard]] std::vector<ShadowProperties> importShadows(const std::string& document, const engine::Limits& limits);
void revertToShadow(const Guid& id, bool forceDismount);
/// Whether no revert of the volume runs any more.
[[nodiscard]] bool awaitRevert(const std::string& volume, const engine::Limits& limits);

}  // namespace domino_vss::vss
