#include "lmbcs.h"

#include <unordered_map>

#include "lmbcs_tables.h"

namespace domino_sim::lmbcs {

namespace {

constexpr unsigned char kGroupLatin1 = 0x01;
constexpr unsigned char kGroupGreek = 0x02;
constexpr unsigned char kGroupCyrillic = 0x05;
constexpr unsigned char kGroupControl = 0x0F;
constexpr unsigned char kControlShift = 0x20;  // C0 control characters are shifted by this; C1 are not
constexpr unsigned char kGroupUnicode = 0x14;
// A code unit with a zero low byte would put a NUL into the string; its high byte follows this mark instead. So U+F601
// to U+F6FF (private use) cannot be represented in LMBCS.
constexpr unsigned char kZeroLowByte = 0xF6;
constexpr char16_t kReplacement = 0xFFFD;

struct GroupByte {
    unsigned char group;  // 0 = the optimisation group, without a prefix
    unsigned char byte;
};

const std::unordered_map<char16_t, GroupByte>& encodings() {
    static const auto map = [] {
        std::unordered_map<char16_t, GroupByte> result;
        const auto add = [&](const UpperHalf& half, unsigned char group) {
            for (std::size_t i = 0; i < half.size(); ++i) {
                if (half[i] != 0) {
                    result.try_emplace(half[i], GroupByte{group, static_cast<unsigned char>(0x80 + i)});
                }
            }
        };
        add(kLatin1, 0);
        add(kGreek, kGroupGreek);
        add(kCyrillic, kGroupCyrillic);
        return result;
    }();
    return map;
}

bool isPlain(char16_t unit) {
    return (unit >= 0x20 && unit < 0x80) || unit == 0 || unit == '\t' || unit == '\n' || unit == '\r';
}

void encodeUnit(char16_t unit, std::string& out) {
    if (isPlain(unit)) {
        out += static_cast<char>(unit);
    } else if (unit < 0x20) {
        out += static_cast<char>(kGroupControl);
        out += static_cast<char>(unit + kControlShift);
    } else if (unit >= 0x80 && unit < 0xA0) {
        out += static_cast<char>(kGroupControl);
        out += static_cast<char>(unit);
    } else if (const auto found = encodings().find(unit); found != encodings().end()) {
        if (found->second.group != 0) {
            out += static_cast<char>(found->second.group);
        }
        out += static_cast<char>(found->second.byte);
    } else {
        const auto high = static_cast<unsigned char>(unit >> 8);
        const auto low = static_cast<unsigned char>(unit & 0xff);
        if (high == kZeroLowByte && low != 0) {
            encodeUnit(kReplacement, out);
            return;
        }
        out += static_cast<char>(kGroupUnicode);
        out += static_cast<char>(low == 0 ? kZeroLowByte : high);
        out += static_cast<char>(low == 0 ? high : low);
    }
}

char16_t fromHalf(const UpperHalf& half, unsigned char byte) {
    if (byte < 0x80) {
        return kReplacement;
    }
    const char16_t unit = half[byte - 0x80u];
    return unit == 0 ? kReplacement : unit;
}

char16_t fromControl(unsigned char byte) {
    return byte >= 0x80 ? byte : byte >= kControlShift ? static_cast<char16_t>(byte - kControlShift) : kReplacement;
}

}  // namespace

std::string fromUtf16(std::u16string_view text) {
    std::string out;
    out.reserve(text.size());
    for (const char16_t unit : text) {
        encodeUnit(unit, out);
    }
    return out;
}

std::u16string toUtf16(std::string_view text) {
    std::u16string out;
    out.reserve(text.size());
    std::size_t at = 0;
    const auto byteAt = [&](std::size_t index) -> unsigned char {
        return index < text.size() ? static_cast<unsigned char>(text[index]) : 0;
    };
    while (at < text.size()) {
        const unsigned char byte = byteAt(at);
        if (byte >= 0x80) {
            out += fromHalf(kLatin1, byte);
            ++at;
        } else if (isPlain(byte)) {
            out += byte;
            ++at;
        } else if (byte == kGroupUnicode) {
            const unsigned char high = byteAt(at + 1);
            const unsigned char low = byteAt(at + 2);
            out += static_cast<char16_t>(high == kZeroLowByte ? low << 8 : (high << 8) | low);
            at += 3;
        } else {
            const unsigned char second = byteAt(at + 1);
            switch (byte) {
                case kGroupLatin1: out += second < 0x80 ? kReplacement : fromHalf(kLatin1, second); break;
                case kGroupGreek: out += fromHalf(kGreek, second); break;
                case kGroupCyrillic: out += fromHalf(kCyrillic, second); break;
                case kGroupControl: out += fromControl(second); break;
                default: out += kReplacement; break;
            }
            at += 2;
        }
    }
    return out;
}

std::u16string utf16FromUtf8(std::string_view text) {
    std::u16string out;
    out.reserve(text.size());
    std::size_t at = 0;
    while (at < text.size()) {
        const auto lead = static_cast<unsigned char>(text[at]);
        const std::size_t length = lead < 0x80   ? 1
                                   : lead < 0xC2 ? 0
                                   : lead < 0xE0 ? 2
                                   : lead < 0xF0 ? 3
                                   : lead < 0xF5 ? 4
                                                 : 0;
        char32_t point = length <= 1 ? lead : lead & (0x7Fu >> length);
        bool valid = length != 0 && at + length <= text.size();
        for (std::size_t i = 1; valid && i < length; ++i) {
            const auto next = static_cast<unsigned char>(text[at + i]);
            valid = (next & 0xC0) == 0x80;
            point = (point << 6) | (next & 0x3Fu);
        }
        if (!valid) {
            out += kReplacement;
            ++at;
            continue;
        }
        at += length;
        if (point >= 0x10000) {
            point -= 0x10000;
            out += static_cast<char16_t>(0xD800 + (point >> 10));
            out += static_cast<char16_t>(0xDC00 + (point & 0x3FF));
        } else {
            out += static_cast<char16_t>(point);
        }
    }
    return out;
}

std::string utf8FromUtf16(std::u16string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t at = 0; at < text.size(); ++at) {
        char32_t point = text[at];
        const bool isPair = point >= 0xD800 && point < 0xDC00 && at + 1 < text.size() && text[at + 1] >= 0xDC00 &&
                            text[at + 1] < 0xE000;
        if (isPair) {
            point = 0x10000 + ((point - 0xD800) << 10) + (text[++at] - 0xDC00u);
        }
        if (point < 0x80) {
            out += static_cast<char>(point);
        } else if (point < 0x800) {
            out += static_cast<char>(0xC0 | (point >> 6));
            out += static_cast<char>(0x80 | (point & 0x3F));
        } else if (point < 0x10000) {
            out += static_cast<char>(0xE0 | (point >> 12));
            out += static_cast<char>(0x80 | ((point >> 6) & 0x3F));
            out += static_cast<char>(0x80 | (point & 0x3F));
        } else {
            out += static_cast<char>(0xF0 | (point >> 18));
            out += static_cast<char>(0x80 | ((point >> 12) & 0x3F));
            out += static_cast<char>(0x80 | ((point >> 6) & 0x3F));
            out += static_cast<char>(0x80 | (point & 0x3F));
        }
    }
    return out;
}

std::string fromUtf8(std::string_view text) {
    return fromUtf16(utf16FromUtf8(text));
}

std::string toUtf8(std::string_view text) {
    return utf8FromUtf16(toUtf16(text));
}

}  // namespace domino_sim::lmbcs
