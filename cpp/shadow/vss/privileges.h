#pragma once

namespace domino_vss::vss {

/// Keeps SeBackupPrivilege enabled, so that files of other users can be read in the shadow. The privilege belongs to
/// the process: the first object enables it, the last one restores its previous state. Does nothing if the process does
/// not hold the privilege.
class BackupPrivilege {
public:
    BackupPrivilege();
    BackupPrivilege(const BackupPrivilege&) = delete;
    BackupPrivilege& operator=(const BackupPrivilege&) = delete;
    ~BackupPrivilege();
};

}  // namespace domino_vss::vss
