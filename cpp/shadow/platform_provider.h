#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/shadow_provider.h"
#include "shadow/session_volume.h"

namespace domino_vss::shadow {

// The providers that only one operating system has, by name.

/// Throws Failure for a provider that this system does not have.
[[nodiscard]] std::unique_ptr<engine::ShadowProvider> makePlatformProvider(const std::string& name,
                                                                           std::vector<SessionVolume> volumes);

/// Whether the file system of a directory really clones files.
[[nodiscard]] bool probeReflink(const std::string& directory);

}  // namespace domino_vss::shadow
