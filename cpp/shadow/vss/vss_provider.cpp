#include "shadow/vss/vss_provider.h"

#include <utility>

#include "engine/flush.h"
#include "shadow/vss/com_apartment.h"

namespace domino_vss::vss {

using engine::Limits;

VssProvider::VssProvider(RequesterOptions options)
    : volumes_(options.volumes), stopAtThaw_(options.stopAtThaw), requester_(std::move(options)) {}

/// Publishes the report even if the step fails.
template <typename Step>
void VssProvider::run(Step step) {
    const auto publish = [this] {
        const std::lock_guard lock(mutex_);
        report_ = requester_.report();
    };
    try {
        step();
    } catch (const Failure&) {
        publish();
        throw;
    }
    publish();
}

template <typename Step>
void VssProvider::runReported(Step step) {
    if (thaw_) thaw_->signal().setReported(true);
    try {
        run(step);
    } catch (const Failure&) {
        if (thaw_) thaw_->signal().setReported(false);
        throw;
    }
    if (thaw_) thaw_->signal().setReported(false);
}

void VssProvider::begin(const Limits& limits) {
    privilege_ = std::make_unique<BackupPrivilege>();
    if (stopAtThaw_) thaw_.emplace();
    runReported([&] { requester_.begin(limits); });
}

void VssProvider::prepare(std::span<const engine::DatabaseSpec> /*databases*/, const Limits& limits) {
    runReported([&] { requester_.openSet(limits); });
    try {
        // Reduces what VSS must flush while writes are held. Done after waiting for other requesters, which can take
        // minutes.
        engine::flushVolumes(volumes_, limits);
    } catch (const Failure&) {
        if (limits.exceeded() != nullptr) throw;
        // VSS also flushes the volumes, and supports volumes that cannot be opened here.
    }
}

std::unique_ptr<engine::ThreadScope> VssProvider::enterThread() {
    return std::make_unique<ComApartment>();
}

void VssProvider::commitWithin(const std::shared_ptr<engine::CaptureWindow>& window) {
    if (thaw_) thaw_->signal().expect(requester_.report().setId, window);
    requester_.create(*window);  // the first call, so that nothing delays it
}

void VssProvider::afterWindow(const Limits& limits) {
    run([&] { requester_.inspect(limits); });
}

void VssProvider::complete(const std::vector<std::string>& deletedShadows, const Limits& limits) {
    run([&] { requester_.complete(deletedShadows, limits); });
}

void VssProvider::remove() {
    privilege_.reset();  // no longer read for this backup, even if the shadow remains
    run([&] { requester_.remove(); });
    thaw_.reset();
}

void VssProvider::keep() {
    run([&] { requester_.keep(); });
    thaw_.reset();
    privilege_.reset();
}

RequesterReport VssProvider::report() const {
    const std::lock_guard lock(mutex_);
    return report_;
}

}  // namespace domino_vss::vss
