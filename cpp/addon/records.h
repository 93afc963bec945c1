#pragma once

#include <napi.h>

#include <string>
#include <vector>

#include "domino/database_identity.h"
#include "domino/runtime.h"
#include "system/failure.h"
#include "system/volume.h"

namespace domino_vss::addon {

// Conversion of native records to JavaScript values, with the types of lib/native/session.ts.

[[nodiscard]] Napi::Object toObject(Napi::Env env, const Failure& failure);
[[nodiscard]] Napi::Object toObject(Napi::Env env, const domino::RuntimeInfo& info);
[[nodiscard]] Napi::Object toObject(Napi::Env env, const Volume& volume);
[[nodiscard]] Napi::Object toObject(Napi::Env env, const domino::DatabaseIdentities& found);

/// Reads a list of strings.
[[nodiscard]] std::vector<std::string> stringsOf(const Napi::Object& object, const char* key);

}  // namespace domino_vss::addon
