#pragma once

#include <napi.h>

namespace domino_vss::addon {

/// `beginArchivingLogs` of lib/native/session.ts: returns a promise of a `NativeLogArchiver`, whose calls all run on
/// one thread.
[[nodiscard]] Napi::Value beginArchivingLogs(const Napi::CallbackInfo& info);

/// For the end of an environment: its archivers release the right to archive. Waits up to two seconds for each.
void endArchivingOf(napi_env env) noexcept;
/// For the end of the process.
void endAllArchiving() noexcept;

}  // namespace domino_vss::addon
