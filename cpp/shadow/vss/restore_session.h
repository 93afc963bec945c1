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
    std::string name;  ///< empty when the writer is not present
    bool present = false;
};

/// What became of the files of the components (VSS_FILE_RESTORE_STATUS).
enum class RestoreOutcome : std::uint8_t { all, none, failed };

/// A restore with writers: everything that the document lists and whose writer is there is selected. All functions
/// throw Failure; all but the destructor are called in an apartment.
class RestoreSession {
public:
    RestoreSession(const std::string& document, const engine::Limits& limits);
    RestoreSession(const RestoreSession&) = delete;
    RestoreSession& operator=(const RestoreSession&) = delete;
    /// On any thread.
    ~RestoreSession();

    [[nodiscard]] const std::vector<RestoreWriter>& writers() const noexcept { return writers_; }
    /// The writers are told, and one that fails over it fails the restore.
    void preRestore(const engine::Limits& limits);
    /// Also after a restore that has failed, and after a failed `preRestore`: writers that were told of a restore wait
    /// for its end, and they act by what became of their files.
    void postRestore(RestoreOutcome outcome, const engine::Limits& limits);
    /// Idempotent.
    void close();

private:
    using Notification = HRESULT (STDMETHODCALLTYPE IVssBackupComponents::*)(IVssAsync**);

    /// A component that is restored. What is called for it takes the class of its writer.
    struct Selected {
        Guid writerId;
        VSS_COMPONENT_TYPE type{};
        std::string logicalPath;
        std::string name;
    };

    void readWriters(const engine::Limits& limits);
    void selectForRestore(IVssWriterComponents& writer, const VSS_ID& writerId);
    void setFileRestoreStatus(RestoreOutcome outcome);
    /// Tells the writers, and throws when one of them fails over it.
    void notify(Notification notification, const char* operation, const engine::Limits& limits);
    void requireOpen() const;
    /// Throws ERR_SHADOW_HANGS while an earlier request does not return.
    [[nodiscard]] std::unique_lock<std::timed_mutex> enter();

    std::timed_mutex mutex_;  // requests come on threads of their own; the object takes one at a time
    ComPtr<IVssBackupComponents> components_;
    std::vector<Writer> present_;         // of this machine
    std::vector<RestoreWriter> writers_;  // of the document
    std::vector<Selected> selected_;
};

}  // namespace domino_vss::vss
