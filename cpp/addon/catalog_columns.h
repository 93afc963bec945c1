#pragma once

#include <napi.h>

#include <string>
#include <vector>

#include "domino/catalog.h"

namespace domino_vss::addon {

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

}  // namespace domino_vss::addon
