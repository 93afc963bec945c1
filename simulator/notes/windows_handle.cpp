#include "windows_handle.h"

namespace domino_sim::platform {

std::wstring wideFrom(UINT codePage, std::string_view text) {
    const int length = ::MultiByteToWideChar(codePage, 0, text.data(), static_cast<int>(text.size()), nullptr, 0);
    std::wstring wide(static_cast<std::size_t>(length), L'\0');
    ::MultiByteToWideChar(codePage, 0, text.data(), static_cast<int>(text.size()), wide.data(), length);
    return wide;
}

std::string narrowIn(UINT codePage, std::wstring_view wide) {
    const int size = static_cast<int>(wide.size());
    const int length = ::WideCharToMultiByte(codePage, 0, wide.data(), size, nullptr, 0, nullptr, nullptr);
    std::string text(static_cast<std::size_t>(length), '\0');
    ::WideCharToMultiByte(codePage, 0, wide.data(), size, text.data(), length, nullptr, nullptr);
    return text;
}

std::wstring wideOf(std::string_view utf8) {
    return wideFrom(CP_UTF8, utf8);
}

std::string utf8Of(std::wstring_view wide) {
    return narrowIn(CP_UTF8, wide);
}

}  // namespace domino_sim::platform
