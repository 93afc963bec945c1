#pragma once

#include <napi.h>

#include <vector>

#include "shadow/vss/writer.h"

namespace domino_vss::addon {

/// NativeWriters of lib/native/vss.ts: a list of small records, and functions that fetch the rest in blocks. Windows
/// only.
[[nodiscard]] Napi::Object writersObject(Napi::Env env, std::vector<vss::Writer> writers);

}  // namespace domino_vss::addon
