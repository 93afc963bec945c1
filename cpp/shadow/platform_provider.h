#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/shadow_provider.h"
#include "shadow/session_volume.h"

namespace domino_vss::shadow {

// Providers that exist on one operating system only, selected by name.

/// Throws Failure if this system does not have the provider.
[[nodiscard]] std::unique_ptr<engine::ShadowProvider> makePlatformProvider(const std::string& name,
                                                                           std::vector<SessionVolume> volumes);

/// Whether the file system of a directory can clone files; tries it.
[[nodiscard]] bool probeReflink(const std::string& directory);

}  // namespace domino_vss::shadow
