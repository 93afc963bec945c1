#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace domino_vss::vss {

/// Has the memory layout of Windows' GUID.
struct Guid {
    std::uint32_t data1 = 0;
    std::uint16_t data2 = 0;
    std::uint16_t data3 = 0;
    std::array<std::uint8_t, 8> data4{};

    friend auto operator<=>(const Guid&, const Guid&) = default;
};

/// Parses `{xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx}`, with or without braces, in upper or lower case.
[[nodiscard]] std::optional<Guid> parseGuid(std::string_view text);

/// With braces, in lower case; empty for GUID_NULL.
[[nodiscard]] std::string formatGuid(const Guid& guid);

}  // namespace domino_vss::vss
