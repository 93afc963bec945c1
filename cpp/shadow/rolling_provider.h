#pragma once

#include <vector>

#include "engine/shadow_provider.h"
#include "shadow/session_volume.h"
#include "shadow/target_directories.h"

namespace domino_vss::shadow {

/// No snapshot: copies each database while it is in backup mode, front to back. High-water marks report the progress to
/// Domino, so that little change information accumulates. Works on every file system.
class RollingProvider final : public engine::ShadowProvider {
public:
    explicit RollingProvider(std::vector<SessionVolume> volumes);

    [[nodiscard]] engine::CaptureScope scope() const noexcept override { return engine::CaptureScope::rolling; }
    void prepare(std::span<const engine::DatabaseSpec> databases, const engine::Limits& limits) override;
    [[nodiscard]] CallStatus captureFile(const engine::DatabaseSpec& spec, engine::HighWaterMarks& marks,
                                         std::uint64_t sizeBytes, const engine::Limits& limits) override;
    void makeDurable() override { targets_.sync(); }
    void remove() override;

private:
    std::vector<SessionVolume> volumes_;
    TargetDirectories targets_;
};

}  // namespace domino_vss::shadow
