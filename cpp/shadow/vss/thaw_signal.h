#pragma once

#include <memory>
#include <mutex>

#include "engine/capture_window.h"
#include "shadow/vss/registered_writer.h"
#include "shadow/vss/writer_handlers.h"

namespace domino_vss::vss {

/// A writer that only listens for Thaw. VSS sends it as soon as the shadow contains everything, long before
/// DoSnapshotSet returns, which waits for what writers still do to the shadow. Takes part in one of our own backups, in
/// the process of the requester.
class ThawSignal final : public WriterHandlers {
public:
    /// The same in all processes; a requester enables the writer by it.
    static constexpr Guid kClassId{0x6b1f0a52, 0x5b0d, 0x4f39, {0x9a, 0x7e, 0x30, 0x5c, 0xd4, 0x12, 0x88, 0xb1}};

    /// Only the requester it belongs to should see it; others would wait for it in their own backups.
    void setReported(bool reported) noexcept;
    /// Thaw of this set means that the shadow is taken.
    void expect(const Guid& set, std::shared_ptr<engine::CaptureWindow> window);

    [[nodiscard]] const OwnComponents& components() const noexcept override { return components_; }
    void close() override;
    [[nodiscard]] bool identify() noexcept override;
    [[nodiscard]] Verdict prepareBackup(Selection /*selection*/) noexcept override { return {}; }
    [[nodiscard]] Verdict prepareSnapshot(const SnapshotSet& set) noexcept override;
    [[nodiscard]] Verdict freeze() noexcept override { return {}; }
    [[nodiscard]] Verdict thaw() noexcept override;
    [[nodiscard]] Verdict postSnapshot(const NewShadows& /*shadows*/) noexcept override { return {}; }
    void abort() noexcept override {}
    void backupShutdown(const Guid& /*set*/, const Guid& /*session*/) noexcept override {}

private:
    // Has no files. It exists because, in component mode, only writers with a selected component receive events.
    const OwnComponents components_{{"", "moment", "The moment of the shadow", ComponentKind::databases, {}}};
    std::mutex mutex_;
    bool reported_ = false;                          // guarded by mutex_
    Guid present_;                                   // guarded by mutex_: the set being made, by any requester
    Guid expected_;                                  // guarded by mutex_
    std::shared_ptr<engine::CaptureWindow> window_;  // guarded by mutex_
};

/// A ThawSignal registered with VSS until its destruction. Use it in an apartment. Windows only.
class RegisteredThawSignal {
public:
    /// Throws Failure.
    RegisteredThawSignal();

    [[nodiscard]] ThawSignal& signal() noexcept { return *signal_; }

private:
    std::shared_ptr<ThawSignal> signal_;
    RegisteredWriter writer_;
};

}  // namespace domino_vss::vss
