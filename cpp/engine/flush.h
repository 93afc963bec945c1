#pragma once

#include <functional>
#include <string>
#include <vector>

#include "engine/deadline.h"

namespace domino_vss::engine {

/// Flushes one volume. Runs on a thread that may be abandoned, so it must not capture references to its caller's data.
using FlushVolume = std::function<void(const std::string& directory)>;

/// Flushes the file systems of the directories, so that little is left to write inside the window. All are flushed
/// concurrently, because each waits for its own disk. Returns when all have finished. Throws the first Failure, or,
/// when the limits are exceeded, a Failure that names a volume still being flushed.
void flushVolumes(const std::vector<std::string>& directories, const Limits& limits);
/// For tests: `flush` replaces the system call.
void flushVolumes(const std::vector<std::string>& directories, const Limits& limits, const FlushVolume& flush);

}  // namespace domino_vss::engine
