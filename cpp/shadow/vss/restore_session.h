#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <vector>

#include "engine/deadline.h"
#include "shadow/vss/headers.h"
#include "shadow/vss/writer.h"

namespace domino_vss::vss {

struct RestoreWriter {
    Guid id;
    std::string name;  ///< empty if the writer does not exist on this machine
    bool present = false;
};

/// The result of restoring the files (VSS_FILE_RESTORE_STATUS).
enum class RestoreOutcome : std::uint8_t { all, none, failed };

/// A restore with writers. Selects all components of the document whose writer exists. All functions throw Failure.
/// Call all except the destructor in an apartment.
class RestoreSession {
public:
    RestoreSession(const std::string& document, const engine::Limits& limits);
    RestoreSession(const RestoreSession&) = delete;
    RestoreSession& operator=(const RestoreSession&) = delete;
    /// May run on any thread.
    ~RestoreSession();

    [[nodiscard]] const std::vector<RestoreWriter>& writers() const noexcept { return writers_; }
    /// Notifies the writers. If one of them fails, the restore fails.
    void preRestore(const engine::Limits& limits);
    /// Call it also after a failed restore and after a failed `preRestore`: writers that were notified of a restore
    /// wait for its end, and they act on the outcome.
    void postRestore(RestoreOutcome outcome, const engine::Limits& limits);
    /// Idempotent.
    void close();

private:
    using Notification = HRESULT (STDMETHODCALLTYPE IVssBackupComponents::*)(IVssAsync**);

    /// A component that is restored, with the class id of its writer, which the calls need.
    struct Selected {
        Guid writerId;
        VSS_COMPONENT_TYPE type{};
        std::string logicalPath;
        std::string name;
    };

    void readWriters(const engine::Limits& limits);
    void selectForRestore(IVssWriterComponents& writer, const VSS_ID& writerId);
    void setFileRestoreStatus(RestoreOutcome outcome);
    /// Notifies the writers. Throws if one of them fails.
    void notify(Notification notification, const char* operation, const engine::Limits& limits);
    void requireOpen() const;
    /// Throws ERR_SHADOW_HANGS if an earlier request does not return.
    [[nodiscard]] std::unique_lock<std::timed_mutex> enter();

    std::timed_mutex mutex_;  // requests run on different threads; the object allows one at a time
    ComPtr<IVssBackupComponents> components_;
    std::vector<Writer> present_;         // on this machine
    std::vector<RestoreWriter> writers_;  // in the document
    std::vector<Selected> selected_;
};

}  // namespace domino_vss::vss
