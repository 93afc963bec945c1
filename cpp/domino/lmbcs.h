#pragma once

#include <string>
#include <string_view>

#include "domino/c_api.h"

namespace domino_vss::domino {

/// Strings of the C API are LMBCS. Plain ASCII is identical and passes without a call. The calling thread must belong
/// to the runtime.
[[nodiscard]] std::string toLmbcs(const Api& api, std::string_view utf8);
[[nodiscard]] std::string fromLmbcs(const Api& api, std::string_view lmbcs);

}  // namespace domino_vss::domino
