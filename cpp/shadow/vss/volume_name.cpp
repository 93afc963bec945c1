#include "shadow/vss/volume_name.h"

#include <windows.h>

#include <array>
#include <string_view>

#include "system/path.h"

namespace domino_vss::vss {

namespace {

constexpr std::size_t kVolumeNameLength = 50;  // `\\?\Volume{GUID}\` and the zero

std::wstring expanded(const std::wstring& text) {
    if (text.find(L'%') == std::wstring::npos) return text;
    std::wstring out(::ExpandEnvironmentStringsW(text.c_str(), nullptr, 0), L'\0');
    const DWORD length = ::ExpandEnvironmentStringsW(text.c_str(), out.data(), static_cast<DWORD>(out.size()));
    out.resize(length == 0 ? 0 : length - 1);
    return out;
}

Failure failure(const char* operation, const std::string& path, Phase phase) {
    return systemFailure(code::kVss, phase, operation, path, static_cast<int>(::GetLastError()));
}

/// Windows takes a volume's name for a path on that volume, Wine does not.
bool isVolumeName(const std::wstring& text) {
    return text.size() == kVolumeNameLength - 1 && text.starts_with(LR"(\\?\Volume{)") && text.ends_with(LR"(}\)");
}

std::wstring mountPointOf(const std::wstring& text, const std::string& path, Phase phase) {
    if (isVolumeName(text)) return text;
    std::wstring root(text.size() + 4, L'\0');
    if (::GetVolumePathNameW(text.c_str(), root.data(), static_cast<DWORD>(root.size())) == 0)
        throw failure("GetVolumePathName", path, phase);
    root.resize(root.find(L'\0'));
    if (!root.ends_with(L'\\')) root += L'\\';
    return root;
}

}  // namespace

std::string volumeNameOf(const std::string& path, Phase phase) {
    const std::wstring root = mountPointOf(expanded(toUtf16(path)), path, phase);
    std::array<wchar_t, kVolumeNameLength> name{};
    if (::GetVolumeNameForVolumeMountPointW(root.c_str(), name.data(), static_cast<DWORD>(name.size())) != 0)
        return toUtf8(name.data());
    // A share has no volume's name, and not every system takes a volume's name for its own mount point.
    if (root.starts_with(LR"(\\)")) return toUtf8(root);
    throw failure("GetVolumeNameForVolumeMountPoint", path, phase);
}

}  // namespace domino_vss::vss
