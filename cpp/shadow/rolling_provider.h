#pragma once

#include <vector>

#include "backup/shadow_provider.h"
#include "shadow/session_volume.h"

namespace domino_vss::shadow {

/// No snapshot: each database is copied while it is in backup mode, front to back, and tells Domino with the high-water
/// mark how far it has come, so that little change information gathers. Works on every file system.
class RollingProvider final : public backup::ShadowProvider {
public:
    explicit RollingProvider(std::vector<SessionVolume> volumes);

    [[nodiscard]] backup::CaptureScope scope() const noexcept override { return backup::CaptureScope::rolling; }
    void prepare(std::span<const backup::DatabaseSpec> databases, const backup::Limits& limits) override;
    [[nodiscard]] backup::CallStatus captureFile(const backup::DatabaseSpec& spec, backup::Database& database,
                                                 std::uint64_t sizeBytes,
                                                 const backup::Limits& limits) noexcept override;
    void makeDurable() override { targets_.sync(); }
    void remove() override;

private:
    std::vector<SessionVolume> volumes_;
    TargetDirectories targets_;
};

}  // namespace domino_vss::shadow
