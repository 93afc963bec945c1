#pragma once

namespace domino_vss::vss {

/// Keeps SeBackupPrivilege enabled, which lets the files of other users be read in the shadow. It is a property of the
/// process: enabled by the first, as it was before after the last. Without the privilege this does nothing.
class BackupPrivilege {
public:
    BackupPrivilege();
    BackupPrivilege(const BackupPrivilege&) = delete;
    BackupPrivilege& operator=(const BackupPrivilege&) = delete;
    ~BackupPrivilege();
};

}  // namespace domino_vss::vss
