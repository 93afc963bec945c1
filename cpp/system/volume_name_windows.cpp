#include <array>
#include <string_view>

#include "system/path.h"
#include "system/volume_name.h"

namespace domino_vss {

namespace {

constexpr std::size_t kVolumeNameLength = 50;  // `\\?\Volume{GUID}\` and the terminating zero
constexpr std::wstring_view kVolumePrefix = LR"(\\?\Volume{)";
constexpr std::wstring_view kSharePrefix = LR"(\\?\UNC\)";

int lastError() noexcept {
    return static_cast<int>(::GetLastError());
}

/// Windows accepts a volume name as a path on that volume; Wine does not.
bool isVolumeName(std::wstring_view text) {
    return text.size() == kVolumeNameLength - 1 && text.starts_with(kVolumePrefix) && text.ends_with(LR"(}\)");
}

/// The start of a path: `start` characters, then `names` components with their backslashes.
std::wstring_view beginning(std::wstring_view path, std::size_t start, int names) {
    std::size_t end = start;
    for (; names > 0 && end < path.size(); --names) {
        end = path.find(L'\\', end);
        end = end == std::wstring_view::npos ? path.size() : end + 1;
    }
    return path.substr(0, end);
}

}  // namespace

int finalPathOf(HANDLE file, DWORD form, std::wstring& path) {
    std::array<wchar_t, 512> most{};  // large enough in most cases: each call queries the mount manager
    const DWORD length = ::GetFinalPathNameByHandleW(file, most.data(), static_cast<DWORD>(most.size()), form);
    if (length == 0) return lastError();
    if (length < most.size()) {
        path.assign(most.data(), length);
        return 0;
    }
    path.assign(length, L'\0');  // including the terminating zero
    const DWORD written = ::GetFinalPathNameByHandleW(file, path.data(), length, form);
    if (written == 0) return lastError();
    if (written >= length) return ERROR_INSUFFICIENT_BUFFER;  // renamed meanwhile
    path.resize(written);
    return 0;
}

int volumeNameOf(HANDLE file, std::string& name) {
    std::wstring path;
    if (finalPathOf(file, VOLUME_NAME_GUID, path) == 0 && path.starts_with(kVolumePrefix)) {
        name = toUtf8(beginning(path, 4, 1));
        return 0;
    }
    if (finalPathOf(file, VOLUME_NAME_DOS, path) == 0 && path.starts_with(kSharePrefix)) {
        name = R"(\\)" + toUtf8(beginning(path, kSharePrefix.size(), 2).substr(kSharePrefix.size()));
        return 0;
    }
    if (const int error = finalPathOf(file, VOLUME_NAME_NT, path); error != 0) return error;
    name = toUtf8(beginning(path, 1, 2));  // `\Device\…\`
    return 0;
}

int volumeNameOf(const std::string& path, std::string& name) {
    const std::wstring text = toUtf16(path);
    std::wstring root(text.size() + 4, L'\0');
    if (isVolumeName(text)) {
        root = text;
    } else {
        if (::GetVolumePathNameW(text.c_str(), root.data(), static_cast<DWORD>(root.size())) == 0) return lastError();
        root.resize(root.find(L'\0'));
        if (!root.ends_with(L'\\')) root += L'\\';
    }
    std::array<wchar_t, kVolumeNameLength> found{};
    if (::GetVolumeNameForVolumeMountPointW(root.c_str(), found.data(), static_cast<DWORD>(found.size())) != 0) {
        name = toUtf8(found.data());
        return 0;
    }
    const int error = lastError();
    // A share has no volume name, and not every system accepts a volume name as its own mount point.
    if (!root.starts_with(LR"(\\)")) return error;
    name = toUtf8(root);
    return 0;
}

}  // namespace domino_vss
