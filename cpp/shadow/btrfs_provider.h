#pragma once

#include <string>
#include <vector>

#include "engine/shadow_provider.h"
#include "shadow/session_volume.h"

namespace domino_vss::shadow {

/// Read-only snapshots of subvolumes, made by ioctl. Each snapshot is atomic. Several are made one after the other,
/// which is sufficient because all databases are in backup mode meanwhile.
class BtrfsProvider final : public engine::ShadowProvider {
public:
    explicit BtrfsProvider(std::vector<SessionVolume> volumes);

    [[nodiscard]] engine::CaptureScope scope() const noexcept override { return engine::CaptureScope::set; }
    void prepare(std::span<const engine::DatabaseSpec> databases, const engine::Limits& limits) override;
    void commit(const engine::Limits& limits) override;
    void remove() override;

private:
    std::vector<SessionVolume> volumes_;
    std::vector<std::string> made_;
};

/// Whether the path is the top of a btrfs subvolume.
[[nodiscard]] bool isBtrfsSubvolume(const std::string& path);

/// Makes a snapshot read-only or writable. Throws Failure.
void setBtrfsSubvolumeReadOnly(const std::string& path, bool readOnly);

/// Deletes a snapshot. Idempotent. Throws Failure.
void deleteBtrfsSubvolume(const std::string& path);

}  // namespace domino_vss::shadow
