#pragma once

#include <napi.h>

namespace domino_vss::addon {

/// `beginArchivingLogs` of lib/native/session.ts: a promise of a `NativeLogArchiver`, whose calls are made on one
/// thread.
[[nodiscard]] Napi::Value beginArchivingLogs(const Napi::CallbackInfo& info);

/// For the end of an environment: its archivers give their right back, which is waited for within bounds.
void endArchivingOf(napi_env env) noexcept;
/// For the end of the process.
void endAllArchiving() noexcept;

}  // namespace domino_vss::addon
