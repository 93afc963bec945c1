#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "engine/shadow_provider.h"
#include "shadow/session_volume.h"

namespace domino_vss::shadow {

/// The shadow is made by somebody else: a storage array, LVM, ZFS, a hypervisor. This provider asks, waits no longer
/// than the deadline, and lets the databases go whatever the answer is.
class HookProvider final : public engine::ShadowProvider {
public:
    /// `request` is called on the control thread and must return at once; `settle` brings the answer from any thread.
    using Request = std::function<void(double deadlineMs)>;

    HookProvider(std::vector<SessionVolume> volumes, Request request);

    [[nodiscard]] engine::CaptureScope scope() const noexcept override { return engine::CaptureScope::set; }
    void prepare(std::span<const engine::DatabaseSpec> databases, const engine::Limits& limits) override;
    void commit(const engine::Limits& limits) override;
    /// The hook's owner removes what the hook made, also what arrives late.
    void remove() override {}

    /// No failure text: the shadow exists.
    void settle(std::optional<std::string> failure);

private:
    std::vector<SessionVolume> volumes_;
    Request request_;
    std::mutex mutex_;
    std::condition_variable_any answered_;
    bool settled_ = false;                // guarded by mutex_
    std::optional<std::string> failure_;  // guarded by mutex_
};

}  // namespace domino_vss::shadow
