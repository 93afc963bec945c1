#include "shadow/vss/guid.h"

#include <charconv>
#include <cstdio>

namespace domino_vss::vss {

namespace {

constexpr std::size_t kLength = 36;

template <typename Number>
bool parseHex(std::string_view digits, Number& number) {
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number, 16);
    return error == std::errc{} && end == digits.data() + digits.size();
}

}  // namespace

std::optional<Guid> parseGuid(std::string_view text) {
    if (text.size() == kLength + 2 && text.front() == '{' && text.back() == '}') text = text.substr(1, kLength);
    if (text.size() != kLength) return std::nullopt;
    for (const std::size_t dash : {8U, 13U, 18U, 23U})
        if (text[dash] != '-') return std::nullopt;
    Guid guid;
    if (!parseHex(text.substr(0, 8), guid.data1) || !parseHex(text.substr(9, 4), guid.data2) ||
        !parseHex(text.substr(14, 4), guid.data3))
        return std::nullopt;
    for (std::size_t i = 0; i < guid.data4.size(); ++i)
        if (!parseHex(text.substr(i < 2 ? 19 + 2 * i : 20 + 2 * i, 2), guid.data4[i])) return std::nullopt;
    return guid;
}

std::string formatGuid(const Guid& guid) {
    if (guid == Guid{}) return {};
    const auto& d = guid.data4;
    std::array<char, kLength + 3> text{};
    static_cast<void>(std::snprintf(text.data(), text.size(), "{%08x-%04x-%04x-%02x%02x-%02x%02x%02x%02x%02x%02x}",
                                    static_cast<unsigned>(guid.data1), static_cast<unsigned>(guid.data2),
                                    static_cast<unsigned>(guid.data3), d[0], d[1], d[2], d[3], d[4], d[5], d[6], d[7]));
    return text.data();
}

}  // namespace domino_vss::vss
