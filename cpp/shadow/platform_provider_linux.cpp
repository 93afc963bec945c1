#include <utility>

#include "shadow/btrfs_provider.h"
#include "shadow/platform_provider.h"
#include "shadow/reflink_provider.h"

namespace domino_vss::shadow {

std::unique_ptr<engine::ShadowProvider> makePlatformProvider(const std::string& name,
                                                             std::vector<SessionVolume> volumes) {
    if (name == "btrfs") return std::make_unique<BtrfsProvider>(std::move(volumes));
    if (name == "reflink") return std::make_unique<ReflinkProvider>(std::move(volumes));
    throw Failure(code::kUnsupported, Phase::prepare, "there is no such provider on Linux", name);
}

}  // namespace domino_vss::shadow
