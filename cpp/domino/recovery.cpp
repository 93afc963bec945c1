#include "domino/recovery.h"

#include <utility>
#include <vector>

#include "domino/lmbcs.h"
#include "domino/runtime.h"
#include "domino/status.h"
#include "system/current_call.h"

namespace domino_vss::domino {

void takeDatabaseOffline(const Api& api, const std::string& file, std::chrono::milliseconds wait) {
    const std::string path = toLmbcs(api, file);
    CurrentCall::note("NSFTakeDatabaseOffline");
    require(api, api.NSFTakeDatabaseOffline(path.c_str(), static_cast<DWORD>(wait.count()), kOfflineNoDelete),
            "NSFTakeDatabaseOffline", Phase::restore, file);
}

void bringDatabaseOnline(const Api& api, const std::string& file) {
    const std::string path = toLmbcs(api, file);
    CurrentCall::note("NSFBringDatabaseOnline");
    require(api, api.NSFBringDatabaseOnline(path.c_str(), 0), "NSFBringDatabaseOnline", Phase::restore, file);
}

namespace {

/// Where the administrator wants extents to be restored for a recovery; empty for the log directory.
std::string retrievePath(const Api& api) {
    std::vector<char> buffer(kPathBufferBytes);
    CurrentCall::note("OSGetEnvironmentString");
    const bool set =
        api.OSGetEnvironmentString("TRANSLOG_RECOVER_PATH", buffer.data(), static_cast<WORD>(buffer.size() - 1)) != 0;
    return set ? buffer.data() : "";
}

}  // namespace

TIMEDATE recoverDatabases(const Api& api, const RecoverOptions& options) {
    std::string names;
    for (const std::string& file : options.files) {
        names += toLmbcs(api, file);
        names.push_back('\0');
    }
    names.push_back('\0');
    DWORD flags = kRecoverWait;  // wait for another recovery that may be scanning the log
    if (options.newDbiid) flags |= kRecoverZapId;
    if (options.newReplicaId) flags |= kRecoverZapReplicaId;
    if (options.pointInTime) flags |= kRecoverPointInTime;
    WORD failing = 0;
    // In: the time to stop at, if the flag is set. Out: the time of the last transaction.
    TIMEDATE reached = options.pointInTime.value_or(TIMEDATE{});
    ArchivedExtents extents(api, options.extents, options.logArchives);
    const bool elsewhere = extents.callback() != nullptr && !retrievePath(api).empty();
    if (elsewhere) flags |= kRecoverAltRetrievePath;
    CurrentCall::note("NSFRecoverDatabases");
    const CallStatus status = callStatus(
        api.NSFRecoverDatabases(names.c_str(), extents.callback(), flags, &failing, &reached), "NSFRecoverDatabases");
    // It is not documented who removes them. In the log directory, that is the server's task.
    if (elsewhere) extents.removeBrought();
    if (status.ok()) return reached;
    const bool attributed = failing >= 1 && failing <= options.files.size();
    Failure failure = describe(api, status, Phase::restore, attributed ? options.files[failing - 1] : std::string{});
    if (const std::string refusal = extents.refusal(); !refusal.empty()) failure.text += " (" + refusal + ")";
    throw failure;
}

}  // namespace domino_vss::domino
