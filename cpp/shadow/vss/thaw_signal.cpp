#include "shadow/vss/thaw_signal.h"

#include <atomic>
#include <cstdint>
#include <string>
#include <utility>

#include "shadow/vss/headers.h"

namespace domino_vss::vss {

namespace {

/// This writer does nothing between Freeze and Thaw, so VSS's default time is sufficient.
constexpr std::uint32_t kFreezeTimeoutMs = 60'000;

WriterDescription description() {
    static std::atomic<std::uint32_t> count = 0;
    WriterDescription writer;
    writer.classId = ThawSignal::kClassId;
    // Must not contain "Domino": Domino's own writer is recognised by that and excluded.
    writer.name = "Moment of the shadow";
    // Not used by restores.
    writer.instanceName = "backup " + std::to_string(::GetCurrentProcessId()) + "." + std::to_string(++count);
    writer.freezeTimeoutMs = kFreezeTimeoutMs;
    return writer;
}

}  // namespace

void ThawSignal::setReported(bool reported) noexcept {
    const std::lock_guard lock(mutex_);
    reported_ = reported;
}

void ThawSignal::expect(const Guid& set, std::shared_ptr<engine::CaptureWindow> window) {
    const std::lock_guard lock(mutex_);
    expected_ = set;
    window_ = std::move(window);
}

void ThawSignal::close() {
    const std::lock_guard lock(mutex_);
    window_.reset();
}

bool ThawSignal::identify() noexcept {
    const std::lock_guard lock(mutex_);
    return reported_;
}

// The databases are in backup mode already: see docs/decisions/started-before-the-snapshot-set.md.
Verdict ThawSignal::prepareSnapshot(const SnapshotSet& set) noexcept {
    const std::lock_guard lock(mutex_);
    present_ = set.id;
    return {};
}

Verdict ThawSignal::thaw() noexcept {
    std::shared_ptr<engine::CaptureWindow> window;
    {
        const std::lock_guard lock(mutex_);
        if (present_ == expected_) window = window_;
    }
    if (window) window->taken();
    return {};
}

RegisteredThawSignal::RegisteredThawSignal()
    : signal_(std::make_shared<ThawSignal>()), writer_(description(), signal_) {}

}  // namespace domino_vss::vss
