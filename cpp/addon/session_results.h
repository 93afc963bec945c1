#pragma once

#include <napi.h>

#include "engine/session.h"

namespace domino_vss::addon {

/// NativeResults, in columns, so that a hundred thousand databases need only a few dozen values.
[[nodiscard]] Napi::Object resultsOf(Napi::Env env, const engine::Session& session);
[[nodiscard]] Napi::Array failuresOf(Napi::Env env, const engine::Session& session);
[[nodiscard]] Napi::Array stuckOf(Napi::Env env, const engine::Session& session);

}  // namespace domino_vss::addon
