#pragma once

#include <string>
#include <string_view>

namespace domino_vss {

/// Only names that are valid UTF-8 survive the round trip through JavaScript and can be opened again.
[[nodiscard]] bool isUtf8(std::string_view text) noexcept;

/// Writes each byte beyond ASCII as `\xNN`.
[[nodiscard]] std::string escapeBeyondAscii(std::string_view text);

}  // namespace domino_vss
