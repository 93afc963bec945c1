#pragma once

#include <string>

#include "domino/c_api.h"

namespace domino_vss::domino {

/// An extent of the transaction log, as Domino hands it out.
struct LogExtent {
    /// Whether it waits to be archived. If not, it is the one that is being written, and nothing waits.
    bool waits = false;
    UNID logId{};
    DWORD number = 0;
    std::string file;  // full path, UTF-8
};

/// The right to archive the transaction log: one program on a server has it, from the constructor to `end`. All
/// functions are for one thread, which must belong to the runtime; it is not documented that another one may end what
/// this one began. All throw Failure.
class LogArchiver {
public:
    /// NSFBeginArchivingLogs. Refused unless the server has a transaction log of archive style and nobody else archives
    /// it.
    explicit LogArchiver(const Api& api);
    LogArchiver(const LogArchiver&) = delete;
    LogArchiver& operator=(const LogArchiver&) = delete;
    /// Gives the right back if `end` was not called.
    ~LogArchiver();

    /// The next extent that waits. The first call is NSFGetFirstLogToArchive: after a program that died in the middle
    /// Domino believes that its extent is still being archived, and NSFGetNextLogToArchive would pass over it.
    [[nodiscard]] LogExtent next();
    /// NSFDoneArchivingLog: from now on Domino may write over the extent.
    void done(UNID logId, DWORD number);
    /// NSFEndArchivingLogs.
    void end();

private:
    const Api& api_;
    bool first_ = true;
    bool ended_ = false;
};

}  // namespace domino_vss::domino
