#include "domino/registration.h"

#include <windows.h>

#include <array>
#include <string_view>

#include "system/failure.h"
#include "system/path.h"
#include "system/windows_resources.h"

namespace domino_vss::domino {

namespace {

constexpr const wchar_t* kDominoKey = L"SOFTWARE\\Lotus\\Domino";
constexpr const wchar_t* kServicesKey = L"SYSTEM\\CurrentControlSet\\Services";
/// Part of `Lotus Domino Server (CDominodata)`; later releases use IBM and HCL instead of Lotus.
constexpr std::wstring_view kServiceName = L" Domino Server (";

void require(LSTATUS status, const char* operation, const wchar_t* key) {
    if (status == ERROR_SUCCESS) return;
    throw systemFailure(code::kDominoLibrary, Phase::runtime, operation, "HKLM\\" + toUtf8(key),
                        static_cast<int>(status));
}

/// A string value of the 64-bit installation, with environment variables expanded; empty if there is none.
std::string valueOf(const wchar_t* name) {
    constexpr DWORD kTextOf64Bit = RRF_RT_REG_SZ | RRF_SUBKEY_WOW6464KEY;
    std::wstring text;
    DWORD bytes = 0;
    for (;;) {
        const LSTATUS status =
            ::RegGetValueW(HKEY_LOCAL_MACHINE, kDominoKey, name, kTextOf64Bit, nullptr, text.data(), &bytes);
        if (status == ERROR_FILE_NOT_FOUND || status == ERROR_UNSUPPORTED_TYPE) return {};
        if (status != ERROR_MORE_DATA) require(status, "RegGetValueW", kDominoKey);
        if (status == ERROR_SUCCESS && bytes <= text.size() * sizeof(wchar_t)) break;
        text.resize(bytes / sizeof(wchar_t) + 1);
        bytes = static_cast<DWORD>(text.size() * sizeof(wchar_t));
    }
    text.resize(std::wstring_view(text.c_str()).size());
    while (text.size() > 3 && text.ends_with(L'\\')) text.pop_back();
    return toUtf8(text);
}

std::vector<std::string> servicesOfDomino() {
    constexpr DWORD kLongestName = 256;  // including the terminating zero, by the documentation of the registry
    HKEY opened = nullptr;
    require(::RegOpenKeyExW(HKEY_LOCAL_MACHINE, kServicesKey, 0, KEY_ENUMERATE_SUB_KEYS, &opened), "RegOpenKeyExW",
            kServicesKey);
    const unique_hkey key(opened);
    std::vector<std::string> services;
    for (DWORD index = 0;; ++index) {
        std::array<wchar_t, kLongestName> name{};
        DWORD length = kLongestName;
        const LSTATUS status =
            ::RegEnumKeyExW(key.get(), index, name.data(), &length, nullptr, nullptr, nullptr, nullptr);
        if (status == ERROR_NO_MORE_ITEMS) return services;
        require(status, "RegEnumKeyExW", kServicesKey);
        const std::wstring_view service(name.data(), length);
        if (service.find(kServiceName) != std::wstring_view::npos) services.push_back(toUtf8(service));
    }
}

}  // namespace

Registration readRegistration() {
    return {valueOf(L"Path"), valueOf(L"DataPath"), servicesOfDomino()};
}

}  // namespace domino_vss::domino
