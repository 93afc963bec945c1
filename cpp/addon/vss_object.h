#pragma once

#include <napi.h>

#include "shadow/vss/requester.h"

namespace domino_vss::addon {

// The part of the binding that speaks to VSS; the shapes are those of lib/native/vss.ts. Windows only.

/// `binding.vss`
[[nodiscard]] Napi::Object vssObject(Napi::Env env);
/// NativeVssReport: what is small of it. Writers and documents are fetched by themselves.
[[nodiscard]] Napi::Object toObject(Napi::Env env, const vss::RequesterReport& report);
/// From NativeSessionOptions of a session with the provider `vss`.
[[nodiscard]] vss::RequesterOptions requesterOptionsOf(const Napi::Object& sessionOptions);

}  // namespace domino_vss::addon
