#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/shadow_provider.h"
#include "shadow/session_volume.h"
#include "shadow/target_directories.h"

namespace domino_vss::shadow {

/// FICLONE per file: the clone shares its blocks with the database and takes microseconds. Works on XFS, btrfs and
/// others; needs no root privileges.
class ReflinkProvider final : public engine::ShadowProvider {
public:
    explicit ReflinkProvider(std::vector<SessionVolume> volumes);

    [[nodiscard]] engine::CaptureScope scope() const noexcept override { return engine::CaptureScope::file; }
    void prepare(std::span<const engine::DatabaseSpec> databases, const engine::Limits& limits) override;
    [[nodiscard]] CallStatus captureFile(const engine::DatabaseSpec& spec, engine::HighWaterMarks& marks,
                                         std::uint64_t sizeBytes, const engine::Limits& limits) override;
    void afterWindow(const engine::Limits& limits) override;
    void makeDurable() override { targets_.sync(); }
    void remove() override;

private:
    std::vector<SessionVolume> volumes_;
    TargetDirectories targets_;
    std::vector<std::string> clones_;  // created empty before the window: creating a file costs as much as cloning one
};

/// Clones the first `sizeBytes` bytes into the target, an existing empty file.
[[nodiscard]] CallStatus cloneFile(const engine::DatabaseSpec& spec, std::uint64_t sizeBytes) noexcept;

}  // namespace domino_vss::shadow
