#pragma once

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
    void postRestore(const engine::Limits& limits);
    /// Idempotent.
    void close();

private:
    using Notification = HRESULT (STDMETHODCALLTYPE IVssBackupComponents::*)(IVssAsync**);

    void readWriters(const engine::Limits& limits);
    /// Tells the writers, and throws when one of them fails over it.
    void notify(Notification notification, const char* operation, const engine::Limits& limits);
    void requireOpen() const;

    std::mutex mutex_;  // requests come on threads of their own; the object takes one at a time
    ComPtr<IVssBackupComponents> components_;
    std::vector<Writer> present_;         // of this machine
    std::vector<RestoreWriter> writers_;  // of the document
};

}  // namespace domino_vss::vss
