#pragma once

#include <functional>
#include <string>
#include <vector>

#include "engine/deadline.h"

namespace domino_vss::engine {

/// Called for one volume, on a thread that may be abandoned: it captures nothing of its caller's.
using FlushVolume = std::function<void(const std::string& directory)>;

/// Writes dirty pages of the file systems of the directories to disk, so that little is left to write inside the
/// window; all at the same time, for each waits for a disk of its own. Returns when the last has ended. Throws the
/// first Failure; at the limits, a Failure that names a volume which still hangs.
void flushVolumes(const std::vector<std::string>& directories, const Limits& limits);
/// With something else in place of the system's call.
void flushVolumes(const std::vector<std::string>& directories, const Limits& limits, const FlushVolume& flush);

}  // namespace domino_vss::engine
