#include "shadow/vss/vss_provider.h"

#include <utility>

#include "shadow/vss/com_apartment.h"
#include "system/sync.h"

namespace domino_vss::vss {

using engine::Limits;

VssProvider::VssProvider(RequesterOptions options) : volumes_(options.volumes), requester_(std::move(options)) {}

/// The report is brought up to date also when the step fails.
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

void VssProvider::begin(const Limits& limits) {
    privilege_ = std::make_unique<BackupPrivilege>();
    run([&] { requester_.begin(limits); });
}

void VssProvider::prepare(std::span<const engine::DatabaseSpec> /*databases*/, const Limits& limits) {
    for (const std::string& volume : volumes_) {
        try {
            // So that little is left to flush while writes are held.
            syncVolume(volume, Phase::prepare);
        } catch (const Failure&) {
            // VSS flushes it itself, and knows volumes that cannot be opened.
        }
    }
    run([&] { requester_.openSet(limits); });
}

std::unique_ptr<engine::ThreadScope> VssProvider::enterThread() {
    return std::make_unique<ComApartment>();
}

void VssProvider::commit(const Limits& limits) {
    requester_.create(limits);  // nothing comes before the call
}

void VssProvider::afterWindow(const Limits& limits) {
    run([&] { requester_.inspect(limits); });
}

void VssProvider::complete(const std::vector<std::string>& deletedShadows, const Limits& limits) {
    run([&] { requester_.complete(deletedShadows, limits); });
}

void VssProvider::remove() {
    privilege_.reset();  // nobody reads the shadow for this backup any more, whatever becomes of it
    run([&] { requester_.remove(); });
}

void VssProvider::keep() {
    run([&] { requester_.keep(); });
    privilege_.reset();
}

RequesterReport VssProvider::report() const {
    const std::lock_guard lock(mutex_);
    return report_;
}

}  // namespace domino_vss::vss
