#pragma once

#include <napi.h>

namespace domino_vss::addon {

/// `NativeVss.registerWriter` of lib/native/writer.ts. Windows only.
[[nodiscard]] Napi::Value registerWriter(const Napi::CallbackInfo& info);

/// Takes back what the writers of an environment hold, and lets them take part in nothing any more.
void closeWritersOf(napi_env env);
void closeAllWriters();

}  // namespace domino_vss::addon
