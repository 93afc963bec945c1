#pragma once

#include <napi.h>

#include "shadow/vss/requester.h"

namespace domino_vss::addon {

// The VSS part of the binding, with the types of lib/native/vss.ts. Windows only.

/// `binding.vss`
[[nodiscard]] Napi::Object vssObject(Napi::Env env);
/// NativeVssReport: the small part of the report. Writers and documents are fetched separately.
[[nodiscard]] Napi::Object toObject(Napi::Env env, const vss::RequesterReport& report);
/// From the NativeSessionOptions of a session with the provider `vss`.
[[nodiscard]] vss::RequesterOptions requesterOptionsOf(const Napi::Object& sessionOptions);

}  // namespace domino_vss::addon
