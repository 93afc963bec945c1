#pragma once

#include <napi.h>

#include <string>
#include <vector>

#include "domino/database_identity.h"
#include "domino/runtime.h"
#include "system/failure.h"
#include "system/volume.h"

namespace domino_vss::addon {

// Native records as JavaScript values; the shapes are those of lib/native/session.ts.

[[nodiscard]] Napi::Object toObject(Napi::Env env, const Failure& failure);
[[nodiscard]] Napi::Object toObject(Napi::Env env, const domino::RuntimeInfo& info);
[[nodiscard]] Napi::Object toObject(Napi::Env env, const Volume& volume);
[[nodiscard]] Napi::Object toObject(Napi::Env env, const domino::DatabaseIdentities& found);

/// A list of texts that JavaScript has given.
[[nodiscard]] std::vector<std::string> stringsOf(const Napi::Object& object, const char* key);

}  // namespace domino_vss::addon
