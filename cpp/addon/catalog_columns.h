#pragma once

#include <napi.h>

#include <string>
#include <vector>

#include "domino/catalog.h"

namespace domino_vss::addon {

/// NativeCatalog. Created on the thread that searches the databases, to leave little work for the JavaScript thread.
class CatalogColumns {
public:
    explicit CatalogColumns(domino::Catalog catalog);

    [[nodiscard]] Napi::Object toObject(Napi::Env env) const;

private:
    /// UTF-8, with a zero byte between two strings.
    using Texts = std::vector<std::string>;

    domino::Catalog catalog_;
    Texts paths_;
    Texts files_;
    Texts fileIds_;
    Texts aliases_;
    Texts aliasPaths_;
};

}  // namespace domino_vss::addon
