#pragma once

#include <span>
#include <string>

#include "engine/deadline.h"

namespace domino_vss::shadow {

/// One file system or subvolume in a session: what is captured, and where the shadow is made.
struct SessionVolume {
    std::string source;
    std::string target;
};

/// Writes dirty pages of the volumes to disk, so that little is left to write inside the window. Throws Failure.
void flushVolumes(std::span<const SessionVolume> volumes, const engine::Limits& limits);

}  // namespace domino_vss::shadow
