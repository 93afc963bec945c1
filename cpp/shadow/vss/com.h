#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/database.h"
#include "shadow/vss/headers.h"
#include "system/failure.h"

namespace domino_vss::vss {

/// The calling thread's membership in the process's multi-threaded apartment. VSS objects have no proxies: they are
/// used directly, from any thread of this apartment. The first membership sets up COM for the whole process, which then
/// stays so: security can be set once only, and the apartment must outlive every thread that passes by.
class ComApartment final : public engine::ThreadScope {
public:
    /// Throws Failure.
    ComApartment();
    ComApartment(const ComApartment&) = delete;
    ComApartment& operator=(const ComApartment&) = delete;
    ~ComApartment() override;

    /// What went less well than it should, in words; the same for the whole life of the process.
    [[nodiscard]] static std::vector<std::string> warnings();
};

[[nodiscard]] Failure comFailure(HRESULT result, const char* operation, Phase phase, std::string subject = {});

/// Throws Failure unless the call succeeded; S_FALSE is success.
void require(HRESULT result, const char* operation, Phase phase, const std::string& subject = {});

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
    /// For a function that hands one out.
    [[nodiscard]] BSTR* put() noexcept {
        ::SysFreeString(text_);
        text_ = nullptr;
        return &text_;
    }
    [[nodiscard]] std::string utf8() const;

private:
    BSTR text_ = nullptr;
};

/// Owns a string from CoTaskMemAlloc.
class TaskString {
public:
    TaskString() = default;
    TaskString(const TaskString&) = delete;
    TaskString& operator=(const TaskString&) = delete;
    ~TaskString() { ::CoTaskMemFree(text_); }

    [[nodiscard]] VSS_PWSZ* put() noexcept { return &text_; }
    [[nodiscard]] std::string utf8() const;

private:
    VSS_PWSZ text_ = nullptr;
};

/// nullptr is empty.
[[nodiscard]] std::string utf8Of(const wchar_t* text);

}  // namespace domino_vss::vss
