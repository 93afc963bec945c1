#pragma once

#include <napi.h>

#include "backup/failure.h"
#include "backup/session.h"
#include "backup/volume.h"
#include "domino/catalog.h"
#include "domino/runtime.h"

namespace domino_vss::addon {

// Native records as JavaScript values; the shapes are those of lib/native.ts.

[[nodiscard]] Napi::Object toObject(Napi::Env env, const backup::Failure& failure);
[[nodiscard]] Napi::Object toObject(Napi::Env env, const domino::RuntimeInfo& info);
[[nodiscard]] Napi::Object toObject(Napi::Env env, const backup::Volume& volume);
[[nodiscard]] Napi::Object toObject(Napi::Env env, const domino::Catalog& catalog);
/// NativeResults: columns, so that a hundred thousand databases are a few dozen values.
[[nodiscard]] Napi::Object resultsOf(Napi::Env env, const backup::Session& session);

}  // namespace domino_vss::addon
