#pragma once
// LMBCS, optimised for group 1: the character set of all strings of the C API.

#include <string>
#include <string_view>

namespace domino_sim::lmbcs {

std::string fromUtf16(std::u16string_view text);
std::string fromUtf8(std::string_view text);
std::u16string toUtf16(std::string_view text);
std::string toUtf8(std::string_view text);

std::u16string utf16FromUtf8(std::string_view text);
std::string utf8FromUtf16(std::u16string_view text);

}  // namespace domino_sim::lmbcs
