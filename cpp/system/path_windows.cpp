#include "system/path.h"

#include <windows.h>

#include <algorithm>
#include <cwctype>

namespace domino_vss {

namespace {

constexpr std::wstring_view kExtended = LR"(\\?\)";
constexpr std::wstring_view kExtendedShare = LR"(\\?\UNC\)";

bool startsWithDrive(std::wstring_view path) {
    return path.size() >= 3 && std::iswalpha(path[0]) != 0 && path[1] == L':' && path[2] == L'\\';
}

}  // namespace

std::wstring toUtf16(std::string_view utf8) {
    if (utf8.empty()) return {};
    const auto size = static_cast<int>(utf8.size());
    std::wstring out(static_cast<std::size_t>(::MultiByteToWideChar(CP_UTF8, 0, utf8.data(), size, nullptr, 0)), L'\0');
    ::MultiByteToWideChar(CP_UTF8, 0, utf8.data(), size, out.data(), static_cast<int>(out.size()));
    return out;
}

std::string toUtf8(std::wstring_view utf16) {
    if (utf16.empty()) return {};
    const auto size = static_cast<int>(utf16.size());
    const int length = ::WideCharToMultiByte(CP_UTF8, 0, utf16.data(), size, nullptr, 0, nullptr, nullptr);
    std::string out(static_cast<std::size_t>(length), '\0');
    ::WideCharToMultiByte(CP_UTF8, 0, utf16.data(), size, out.data(), length, nullptr, nullptr);
    return out;
}

std::filesystem::path pathOf(std::string_view utf8) {
    std::wstring path = toUtf16(utf8);
    std::ranges::replace(path, L'/', L'\\');
    if (path.starts_with(kExtended) || path.starts_with(LR"(\\.\)")) return path;
    if (startsWithDrive(path)) return std::wstring(kExtended) + path;
    if (path.starts_with(LR"(\\)")) return std::wstring(kExtendedShare) + path.substr(2);
    return path;
}

bool isAbsolute(std::string_view utf8) noexcept {
    const auto isSeparator = [&](std::size_t i) { return i < utf8.size() && (utf8[i] == '\\' || utf8[i] == '/'); };
    if (isSeparator(0)) return isSeparator(1);
    const bool isLetter = !utf8.empty() && ((utf8[0] | 0x20) >= 'a' && (utf8[0] | 0x20) <= 'z');
    return isLetter && utf8.size() > 1 && utf8[1] == ':' && isSeparator(2);
}

std::string utf8Of(const std::filesystem::path& path) {
    std::wstring_view text = path.native();
    if (text.starts_with(kExtendedShare)) return R"(\\)" + toUtf8(text.substr(kExtendedShare.size()));
    // Volume names and device paths exist only in the extended form.
    if (text.starts_with(kExtended) && startsWithDrive(text.substr(kExtended.size())))
        text.remove_prefix(kExtended.size());
    return toUtf8(text);
}

}  // namespace domino_vss
