#include "shadow/vss/com_string.h"

#include <new>

#include "system/path.h"

namespace domino_vss::vss {

Bstr::Bstr(std::string_view utf8) {
    const std::wstring text = toUtf16(utf8);
    text_ = ::SysAllocStringLen(text.data(), static_cast<UINT>(text.size()));
    if (text_ == nullptr) throw std::bad_alloc();
}

std::string Bstr::utf8() const {
    return toUtf8({text_, text_ == nullptr ? 0U : ::SysStringLen(text_)});
}

std::string utf8Of(const wchar_t* text) {
    return text == nullptr ? std::string{} : toUtf8(text);
}

}  // namespace domino_vss::vss
