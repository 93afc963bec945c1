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

/// Another system makes the shadow: a storage array, LVM, ZFS, a hypervisor. This provider sends the request and waits
/// for the answer, no longer than the deadline. The databases leave backup mode whatever the answer is.
class HookProvider final : public engine::ShadowProvider {
public:
    /// `request` is called on the provider thread and must return at once. `settle` delivers the answer, from any
    /// thread.
    using Request = std::function<void(double deadlineMs)>;

    HookProvider(std::vector<SessionVolume> volumes, Request request);

    [[nodiscard]] engine::CaptureScope scope() const noexcept override { return engine::CaptureScope::set; }
    void prepare(std::span<const engine::DatabaseSpec> databases, const engine::Limits& limits) override;
    void commit(const engine::Limits& limits) override;
    /// The owner of the hook removes what the hook created, even if it is created late.
    void remove() override {}

    /// Without a failure text, the shadow exists.
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
