#include "domino/abandoned_backup.h"

#include <array>

#include "domino/domino_source.h"
#include "domino/lmbcs.h"
#include "domino/runtime.h"
#include "domino/status.h"
#include "system/current_call.h"

namespace domino_vss::domino {

namespace {

/// Tries to start a backup, which succeeds only if none is in progress, and ends it at once. Returns the status of the
/// start, or of the end if that fails.
CallStatus probe(DominoDatabase& database) noexcept {
    std::uint64_t sizeBytes = 0;
    CurrentCall::note("NSFBackupStart");
    const CallStatus started = database.start(sizeBytes);
    if (!started.ok()) return started;
    CurrentCall::note("NSFBackupEnd");
    return database.end(engine::EndMode::abort);
}

bool isInBackupMode(const CallStatus& status) noexcept {
    return status.status == error::kBackupInProgress;
}

AbandonedState endOne(const Api& api, const std::string& path) {
    std::array<DBHANDLE, 2> handle{};
    const std::string name = toLmbcs(api, path);
    CurrentCall::note("NSFDbOpen");
    const CallStatus opened = callStatus(api.NSFDbOpen(name.c_str(), handle.data()), "NSFDbOpen");
    // It may still be in backup mode: only the caller can see whether its file is gone.
    if (!opened.ok()) throw describe(api, opened, Phase::end, path);
    DominoDatabase database(api, handle[0]);
    const CallStatus before = probe(database);
    if (before.ok()) return AbandonedState::none;
    // Any other refusal, such as a compaction in progress, says nothing about backup mode.
    if (!isInBackupMode(before)) throw describe(api, before, Phase::end, path);
    // Without a context, which was lost with the dead process. The second probe shows whether this succeeded, whatever
    // the call returned.
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
