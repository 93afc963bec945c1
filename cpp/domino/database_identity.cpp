#include "domino/database_identity.h"

#include "domino/domino_source.h"
#include "domino/lmbcs.h"
#include "domino/runtime.h"
#include "domino/status.h"
#include "system/current_call.h"

namespace domino_vss::domino {

namespace {

DatabaseIdentity readOne(const Api& api, const std::string& path) {
    std::array<DBHANDLE, 2> handle{};
    const std::string name = toLmbcs(api, path);
    CurrentCall::note("NSFDbOpen");
    require(api, api.NSFDbOpen(name.c_str(), handle.data()), "NSFDbOpen", Phase::restore, path);
    DominoDatabase database(api, handle[0]);
    DatabaseIdentity identity;
    CurrentCall::note("NSFDbReplicaInfoGet");
    identity.replicaId = database.replicaId();
    CurrentCall::note("NSFDbGetLogInfo");
    const CallStatus status = database.logInfo(identity.log);
    if (!status.ok()) throw describe(api, status, Phase::restore, path);
    CurrentCall::note("NSFDbModifiedTime");
    identity.modified = database.modifiedTimes();
    CurrentCall::note("NSFDbClose");
    return identity;
}

}  // namespace

DatabaseIdentities readIdentities(const Api& api, const std::vector<std::string>& paths) {
    DatabaseIdentities found;
    found.databases.reserve(paths.size());
    for (const std::string& path : paths) {
        // In its place before the call: GCC 12 left the values of the round before in a variable of the loop if the
        // call threw.
        DatabaseIdentity& identity = found.databases.emplace_back();
        try {
            identity = readOne(api, path);
        } catch (const Failure& failure) {
            found.failures.emplace_back(static_cast<std::uint32_t>(found.databases.size() - 1), failure);
        }
    }
    return found;
}

}  // namespace domino_vss::domino
