#include "shadow/platform_provider.h"

namespace domino_vss::shadow {

std::unique_ptr<engine::ShadowProvider> makePlatformProvider(const std::string& name,
                                                             std::vector<SessionVolume> /*volumes*/) {
    throw Failure(code::kUnsupported, Phase::prepare, "there is no such provider on Windows", name);
}

bool probeReflink(const std::string& /*directory*/) {
    return false;
}

}  // namespace domino_vss::shadow
