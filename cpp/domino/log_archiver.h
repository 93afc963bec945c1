#pragma once

#include <string>

#include "domino/c_api.h"

namespace domino_vss::domino {

/// An extent of the transaction log, as returned by Domino.
struct LogExtent {
    /// True if it is ready to be archived. If false, this is the extent being written, and none is ready.
    bool waits = false;
    UNID logId{};
    DWORD number = 0;
    std::string file;  // full path, UTF-8
};

/// The right to archive the transaction log, from the constructor to `end`. Only one program per server can have it.
/// Use it on one thread that has entered the runtime: it is not documented whether another thread may end what this one
/// began. All functions throw Failure.
class LogArchiver {
public:
    /// Calls NSFBeginArchivingLogs. Fails unless the server uses archive-style logging and no other program archives
    /// the log.
    explicit LogArchiver(const Api& api);
    LogArchiver(const LogArchiver&) = delete;
    LogArchiver& operator=(const LogArchiver&) = delete;
    /// Releases the right if `end` was not called.
    ~LogArchiver();

    /// The next extent to archive. The first call uses NSFGetFirstLogToArchive: if a program died while archiving,
    /// Domino still considers its extent as being archived, and NSFGetNextLogToArchive would skip it.
    [[nodiscard]] LogExtent next();
    /// Calls NSFDoneArchivingLog: Domino may overwrite the extent from now on.
    void done(UNID logId, DWORD number);
    /// Calls NSFEndArchivingLogs.
    void end();

private:
    const Api& api_;
    bool first_ = true;
    bool ended_ = false;
};

}  // namespace domino_vss::domino
