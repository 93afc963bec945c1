#pragma once

#include <napi.h>

#include <string>
#include <vector>

#include "domino/catalog.h"
#include "domino/runtime.h"
#include "engine/session.h"
#include "system/failure.h"
#include "system/volume.h"

namespace domino_vss::addon {

// Native records as JavaScript values; the shapes are those of lib/native/session.ts.

[[nodiscard]] Napi::Object toObject(Napi::Env env, const Failure& failure);
[[nodiscard]] Napi::Object toObject(Napi::Env env, const domino::RuntimeInfo& info);
[[nodiscard]] Napi::Object toObject(Napi::Env env, const Volume& volume);
/// NativeCatalog. Made on the thread that has found the databases, so that little is left to do on JavaScript's.
class CatalogColumns {
public:
    explicit CatalogColumns(domino::Catalog catalog);

    [[nodiscard]] Napi::Object toObject(Napi::Env env) const;

private:
    /// UTF-8, a zero byte between two texts.
    using Texts = std::vector<std::string>;

    domino::Catalog catalog_;
    Texts paths_;
    Texts files_;
    Texts fileIds_;
    Texts aliases_;
    Texts aliasPaths_;
};

/// NativeResults: columns, so that a hundred thousand databases are a few dozen values.
[[nodiscard]] Napi::Object resultsOf(Napi::Env env, const engine::Session& session);
[[nodiscard]] Napi::Array failuresOf(Napi::Env env, const engine::Session& session);
[[nodiscard]] Napi::Array stuckOf(Napi::Env env, const engine::Session& session);

/// A list of texts that JavaScript has given.
[[nodiscard]] std::vector<std::string> stringsOf(const Napi::Object& object, const char* key);

}  // namespace domino_vss::addon
