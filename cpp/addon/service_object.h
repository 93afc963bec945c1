#pragma once

#include <napi.h>

namespace domino_vss::addon {

/// `binding.services`: NativeServices of lib/native/session.ts. Windows only.
[[nodiscard]] Napi::Object serviceObject(Napi::Env env);

}  // namespace domino_vss::addon
