#pragma once

#include <napi.h>

namespace domino_vss::addon {

/// `NativeVss.registerWriter` of lib/native/writer.ts. Windows only.
[[nodiscard]] Napi::Value registerWriter(const Napi::CallbackInfo& info);

/// Aborts what the writers of an environment have in progress, and makes them refuse all later events.
void closeWritersOf(napi_env env);
void closeAllWriters();

}  // namespace domino_vss::addon
