#pragma once

#include <string>
#include <string_view>

#include "domino/c_api.h"

namespace domino_vss::domino {

/// The C API uses LMBCS. Printable ASCII is identical and is not converted. The calling thread must have entered the
/// runtime.
[[nodiscard]] std::string toLmbcs(const Api& api, std::string_view utf8);
[[nodiscard]] std::string fromLmbcs(const Api& api, std::string_view lmbcs);

}  // namespace domino_vss::domino
