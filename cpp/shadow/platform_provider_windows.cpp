#include "shadow/platform_provider.h"

namespace domino_vss::shadow {

std::unique_ptr<backup::ShadowProvider> makePlatformProvider(const std::string& name,
                                                             std::vector<SessionVolume> /*volumes*/) {
    throw backup::Failure(backup::code::kUnsupported, backup::Phase::prepare, "there is no such provider on Windows",
                          name);
}

bool probeReflink(const std::string& /*directory*/) {
    return false;
}

}  // namespace domino_vss::shadow
