#include "shadow/hook_provider.h"

#include <chrono>
#include <utility>

#include "engine/flush.h"
#include "system/current_call.h"

namespace domino_vss::shadow {

HookProvider::HookProvider(std::vector<SessionVolume> volumes, Request request)
    : volumes_(std::move(volumes)), request_(std::move(request)) {}

void HookProvider::prepare(std::span<const engine::DatabaseSpec> /*databases*/, const engine::Limits& limits) {
    engine::flushVolumes(sourcesOf(volumes_), limits);
}

void HookProvider::commit(const engine::Limits& limits) {
    // The storage system only sees what is on disk, so the databases' writes at the start of backup mode must be
    // flushed.
    engine::flushVolumes(sourcesOf(volumes_), limits);
    const std::chrono::duration<double, std::milli> left = limits.deadline - engine::Clock::now();
    CurrentCall::note("the hook");
    request_(left.count());
    std::unique_lock lock(mutex_);
    const bool answered = answered_.wait_until(lock, limits.stop, limits.deadline, [this] { return settled_; });
    if (!answered && limits.stop.stop_requested())
        throw Failure(code::kAborted, Phase::shadow, "aborted while the hook made the shadow");
    if (!answered) throw Failure(code::kHookTimeout, Phase::shadow, "the hook did not answer before the deadline");
    if (failure_) throw Failure(code::kHook, Phase::shadow, *failure_);
}

void HookProvider::settle(std::optional<std::string> failure) {
    {
        const std::lock_guard lock(mutex_);
        settled_ = true;
        failure_ = std::move(failure);
    }
    answered_.notify_all();
}

}  // namespace domino_vss::shadow
