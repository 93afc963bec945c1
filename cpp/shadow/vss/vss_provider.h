#pragma once

#include <memory>
#include <mutex>
#include <optional>

#include "engine/shadow_provider.h"
#include "shadow/vss/privileges.h"
#include "shadow/vss/requester.h"
#include "shadow/vss/thaw_signal.h"

namespace domino_vss::vss {

/// Makes shadows with the Volume Shadow Copy Service.
class VssProvider final : public engine::ShadowProvider {
public:
    explicit VssProvider(RequesterOptions options);

    [[nodiscard]] engine::CaptureScope scope() const noexcept override { return engine::CaptureScope::set; }
    void begin(const engine::Limits& limits) override;
    void prepare(std::span<const engine::DatabaseSpec> databases, const engine::Limits& limits) override;
    [[nodiscard]] std::unique_ptr<engine::ThreadScope> enterThread() override;
    void commitWithin(const std::shared_ptr<engine::CaptureWindow>& window) override;
    void afterWindow(const engine::Limits& limits) override;
    void complete(const std::vector<std::string>& deletedShadows, const engine::Limits& limits) override;
    void leaveUntold() noexcept override { requester_.leaveUntold(); }
    void remove() override;
    void keep() override;

    /// May be called from any thread. Shows the state after the last step.
    [[nodiscard]] RequesterReport report() const;

private:
    template <typename Step>
    void run(Step step);
    /// For steps in which the requester gathers the writers: makes our own writer visible to it.
    template <typename Step>
    void runReported(Step step);

    std::vector<std::string> volumes_;
    const bool stopAtThaw_;
    Requester requester_;
    std::optional<RegisteredThawSignal> thaw_;  // in the apartment of the provider thread
    std::unique_ptr<BackupPrivilege> privilege_;
    mutable std::mutex mutex_;
    RequesterReport report_;  // guarded by mutex_
};

}  // namespace domino_vss::vss
