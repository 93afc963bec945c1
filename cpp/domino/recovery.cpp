#include "domino/recovery.h"

#include <utility>

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

TIMEDATE recoverDatabases(const Api& api, const RecoverOptions& options) {
    std::string names;
    for (const std::string& file : options.files) {
        names += toLmbcs(api, file);
        names.push_back('\0');
    }
    names.push_back('\0');
    DWORD flags = kRecoverWait;  // another recovery may be scanning the log; ours waits for its turn
    if (options.newDbiid) flags |= kRecoverZapId;
    if (options.newReplicaId) flags |= kRecoverZapReplicaId;
    if (options.pointInTime) flags |= kRecoverPointInTime;
    WORD failing = 0;
    // In: the time to stop at, with the flag. Out: the time of the last transaction.
    TIMEDATE reached = options.pointInTime.value_or(TIMEDATE{});
    CurrentCall::note("NSFRecoverDatabases");
    const CallStatus status =
        callStatus(api.NSFRecoverDatabases(names.c_str(), nullptr, flags, &failing, &reached), "NSFRecoverDatabases");
    if (status.ok()) return reached;
    const bool attributed = failing >= 1 && failing <= options.files.size();
    throw describe(api, status, Phase::restore, attributed ? options.files[failing - 1] : std::string{});
}

}  // namespace domino_vss::domino
