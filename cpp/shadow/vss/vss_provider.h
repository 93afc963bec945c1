#pragma once

#include <memory>
#include <mutex>

#include "backup/shadow_provider.h"
#include "shadow/vss/privileges.h"
#include "shadow/vss/requester.h"

namespace domino_vss::vss {

/// Shadows by the Volume Shadow Copy Service.
class VssProvider final : public backup::ShadowProvider {
public:
    explicit VssProvider(RequesterOptions options);

    [[nodiscard]] backup::CaptureScope scope() const noexcept override { return backup::CaptureScope::set; }
    void begin(const backup::Limits& limits) override;
    void prepare(std::span<const backup::DatabaseSpec> databases, const backup::Limits& limits) override;
    [[nodiscard]] std::unique_ptr<backup::ThreadScope> enterCommitThread() override;
    void commit(const backup::Limits& limits) override;
    void afterWindow(const backup::Limits& limits) override;
    void complete(const std::vector<std::string>& deletedShadows, const backup::Limits& limits) override;
    void remove() override;
    void keep() override;

    /// From any thread; as of the end of the last step.
    [[nodiscard]] RequesterReport report() const;

private:
    template <typename Step>
    void run(Step step);

    std::vector<std::string> volumes_;
    Requester requester_;
    std::unique_ptr<BackupPrivilege> privilege_;
    mutable std::mutex mutex_;
    RequesterReport report_;  // guarded by mutex_
};

}  // namespace domino_vss::vss
