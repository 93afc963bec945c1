#include "domino/abandoned_backup.h"

#include <array>

#include "domino/domino_source.h"
#include "domino/lmbcs.h"
#include "domino/runtime.h"
#include "domino/status.h"
#include "system/current_call.h"

namespace domino_vss::domino {

namespace {

/// A backup of one's own begins only where there is none, and is ended at once. Answers the status of the start.
CallStatus probe(DominoDatabase& database) noexcept {
    std::uint64_t sizeBytes = 0;
    CurrentCall::note("NSFBackupStart");
    const CallStatus started = database.start(sizeBytes);
    if (!started.ok()) return started;
    CurrentCall::note("NSFBackupEnd");
    return database.end(engine::EndMode::abort);
}

bool hasStatus(const CallStatus& status, STATUS code) noexcept {
    return !status.ok() && status.domain == Domain::domino && errorCode(static_cast<STATUS>(status.status)) == code;
}

bool isInBackupMode(const CallStatus& status) noexcept {
    return hasStatus(status, error::kBackupInProgress);
}

AbandonedState endOne(const Api& api, const std::string& path) {
    std::array<DBHANDLE, 2> handle{};
    const std::string name = toLmbcs(api, path);
    CurrentCall::note("NSFDbOpen");
    const CallStatus opened = callStatus(api.NSFDbOpen(name.c_str(), handle.data()), "NSFDbOpen");
    // An offline database may be in backup mode all the same. What cannot be opened otherwise is no database any more.
    if (hasStatus(opened, error::kDatabaseOffline)) throw describe(api, opened, Phase::end, path);
    if (!opened.ok()) return AbandonedState::none;
    DominoDatabase database(api, handle[0]);
    if (!isInBackupMode(probe(database))) return AbandonedState::none;
    // Without a context: that of the dead process went with it. What the call answers matters less than what it has
    // done.
    CurrentCall::note("NSFBackupEnd");
    static_cast<void>(api.NSFBackupEnd(handle[0], 0, kBackupEndAbort));
    const CallStatus after = probe(database);
    if (!isInBackupMode(after)) return AbandonedState::ended;
    throw describe(api, after, Phase::end, path);
}

}  // namespace

AbandonedBackups endAbandonedBackups(const Api& api, const std::vector<std::string>& paths) {
    AbandonedBackups outcome;
    outcome.states.reserve(paths.size());
    for (const std::string& path : paths) {
        AbandonedState state = AbandonedState::left;
        try {
            state = endOne(api, path);
        } catch (const Failure& failure) {
            outcome.failures.emplace_back(static_cast<std::uint32_t>(outcome.states.size()), failure);
        }
        outcome.states.push_back(static_cast<std::uint8_t>(state));
    }
    return outcome;
}

}  // namespace domino_vss::domino
