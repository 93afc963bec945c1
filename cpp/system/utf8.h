#pragma once

#include <string>
#include <string_view>

namespace domino_vss {

/// Only a name that is valid UTF-8 comes back from JavaScript as it was, so that it can be opened.
[[nodiscard]] bool isUtf8(std::string_view text) noexcept;

/// Each byte beyond ASCII as `\xNN`.
[[nodiscard]] std::string escapeBeyondAscii(std::string_view text);

}  // namespace domino_vss
