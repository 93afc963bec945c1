#include "shadow/vss/volume_name.h"

#include "system/path.h"
#include "system/volume_name.h"

namespace domino_vss::vss {

namespace {

std::string expanded(const std::string& path) {
    if (path.find('%') == std::string::npos) return path;
    const std::wstring text = toUtf16(path);
    std::wstring out(::ExpandEnvironmentStringsW(text.c_str(), nullptr, 0), L'\0');
    const DWORD length = ::ExpandEnvironmentStringsW(text.c_str(), out.data(), static_cast<DWORD>(out.size()));
    out.resize(length == 0 ? 0 : length - 1);
    return toUtf8(out);
}

}  // namespace

std::string volumeNameOf(const std::string& path, Phase phase) {
    std::string name;
    if (const int error = domino_vss::volumeNameOf(expanded(path), name); error != 0)
        throw systemFailure(code::kVss, phase, "GetVolumeNameForVolumeMountPoint", path, error);
    return name;
}

}  // namespace domino_vss::vss
