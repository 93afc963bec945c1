#pragma once

#include <span>
#include <string>
#include <vector>

namespace domino_vss::shadow {

/// A file system or subvolume in a session: what is captured, and where the shadow is made.
struct SessionVolume {
    std::string source;
    std::string target;
};

[[nodiscard]] inline std::vector<std::string> sourcesOf(std::span<const SessionVolume> volumes) {
    std::vector<std::string> sources;
    for (const SessionVolume& volume : volumes) sources.push_back(volume.source);
    return sources;
}

}  // namespace domino_vss::shadow
