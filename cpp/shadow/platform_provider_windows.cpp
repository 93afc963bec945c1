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

void deleteShadow(const std::string& /*provider*/, const std::string& target) {
    removeTargetDirectory(target);
}

}  // namespace domino_vss::shadow
