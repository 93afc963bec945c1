#include "shadow/session_volume.h"

#include "system/sync.h"

namespace domino_vss::shadow {

void flushVolumes(std::span<const SessionVolume> volumes, const engine::Limits& limits) {
    for (const SessionVolume& volume : volumes) {
        if (const char* reason = limits.exceeded()) throw Failure(reason, Phase::prepare, "gave up flushing");
        syncVolume(volume.source, Phase::prepare);
    }
}

}  // namespace domino_vss::shadow
