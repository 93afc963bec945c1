#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "backup/shadow_provider.h"
#include "shadow/session_volume.h"

namespace domino_vss::shadow {

/// FICLONE per file: the clone shares its blocks with the database and costs microseconds. XFS, btrfs and others; no
/// root.
class ReflinkProvider final : public backup::ShadowProvider {
public:
    explicit ReflinkProvider(std::vector<SessionVolume> volumes);

    [[nodiscard]] backup::CaptureScope scope() const noexcept override { return backup::CaptureScope::file; }
    void prepare(std::span<const backup::DatabaseSpec> databases, const backup::Limits& limits) override;
    [[nodiscard]] backup::CallStatus captureFile(const backup::DatabaseSpec& spec, backup::Database& database,
                                                 std::uint64_t sizeBytes,
                                                 const backup::Limits& limits) noexcept override;
    void afterWindow(const backup::Limits& limits) override;
    void makeDurable() override { targets_.sync(); }
    void remove() override;

private:
    std::vector<SessionVolume> volumes_;
    TargetDirectories targets_;
    std::vector<std::string> clones_;  // made empty while nothing is frozen; a new name costs as much as a clone
};

/// Clones the first `sizeBytes` bytes into an empty file that exists.
[[nodiscard]] backup::CallStatus cloneFile(const std::string& source, const std::string& target,
                                           std::uint64_t sizeBytes) noexcept;

}  // namespace domino_vss::shadow
