#pragma once

#include <windows.h>
// After windows.h.
#include <oleauto.h>

#include <string>
#include <string_view>

namespace domino_vss::vss {

/// Owns a BSTR.
class Bstr {
public:
    Bstr() = default;
    /// Throws std::bad_alloc.
    explicit Bstr(std::string_view utf8);
    Bstr(const Bstr&) = delete;
    Bstr& operator=(const Bstr&) = delete;
    ~Bstr() { ::SysFreeString(text_); }

    [[nodiscard]] BSTR get() const noexcept { return text_; }
    /// For an output parameter.
    [[nodiscard]] BSTR* put() noexcept {
        ::SysFreeString(text_);
        text_ = nullptr;
        return &text_;
    }
    [[nodiscard]] std::string utf8() const;

private:
    BSTR text_ = nullptr;
};

/// Empty for nullptr.
[[nodiscard]] std::string utf8Of(const wchar_t* text);

}  // namespace domino_vss::vss
