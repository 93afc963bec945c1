#include "domino/log_archiver.h"

#include <vector>

#include "domino/lmbcs.h"
#include "domino/runtime.h"
#include "domino/status.h"
#include "system/current_call.h"
#include "system/failure.h"

namespace domino_vss::domino {

LogArchiver::LogArchiver(const Api& api) : api_(api) {
    if (api.NSFBeginArchivingLogs == nullptr || api.NSFEndArchivingLogs == nullptr ||
        api.NSFGetFirstLogToArchive == nullptr || api.NSFGetNextLogToArchive == nullptr ||
        api.NSFDoneArchivingLog == nullptr)
        throw Failure(code::kUnsupported, Phase::archive, "this Domino release lacks a function for archiving logs");
    CurrentCall::note("NSFBeginArchivingLogs");
    require(api, api.NSFBeginArchivingLogs(), "NSFBeginArchivingLogs", Phase::archive, "");
}

LogArchiver::~LogArchiver() {
    if (ended_) return;
    CurrentCall::note("NSFEndArchivingLogs");
    static_cast<void>(api_.NSFEndArchivingLogs());
}

LogExtent LogArchiver::next() {
    const char* const name = first_ ? "NSFGetFirstLogToArchive" : "NSFGetNextLogToArchive";
    auto* const get = first_ ? api_.NSFGetFirstLogToArchive : api_.NSFGetNextLogToArchive;
    LogExtent extent;
    std::vector<char> path(kPathBufferBytes);
    CurrentCall::note(name);
    const STATUS status = get(&extent.logId, &extent.number, path.data());
    extent.waits = errorCode(status) != error::kNoTranslogsToArchive;
    if (extent.waits) require(api_, status, name, Phase::archive, "");
    first_ = false;
    extent.file = fromLmbcs(api_, path.data());
    return extent;
}

void LogArchiver::done(UNID logId, DWORD number) {
    CurrentCall::note("NSFDoneArchivingLog");
    require(api_, api_.NSFDoneArchivingLog(&logId, &number), "NSFDoneArchivingLog", Phase::archive, "");
}

void LogArchiver::end() {
    ended_ = true;  // do not call it again, whatever it returns
    CurrentCall::note("NSFEndArchivingLogs");
    require(api_, api_.NSFEndArchivingLogs(), "NSFEndArchivingLogs", Phase::archive, "");
}

}  // namespace domino_vss::domino
