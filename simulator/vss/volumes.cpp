#include "volumes.h"

#include <algorithm>
#include <array>

#include "call.h"
#include "settings.h"
#include "text.h"

namespace vss_simulator {

namespace {

constexpr VSS_ID kSystemProvider{0xb5946137, 0x7b9f, 0x4925, {0xaf, 0x80, 0x51, 0xab, 0xd6, 0x0b, 0x20, 0xd5}};
constexpr CLSID kSystemProviderClass{0x65ee1dba, 0x8ff4, 0x4a58, {0xac, 0x1c, 0x34, 0x70, 0xee, 0x2f, 0x37, 0x6a}};

std::wstring guidNameOf(const std::string& letter) {
    std::array<wchar_t, 64> name{};
    const std::wstring root = utf16(letter) + L":\\";
    if (GetVolumeNameForVolumeMountPointW(root.c_str(), name.data(), static_cast<DWORD>(name.size()))) {
        return name.data();
    }
    // For a letter that the mount manager does not know, uses the name it would assign.
    std::array<char, 64> made{};
    std::snprintf(made.data(), made.size(), R"(\\?\Volume{00000000-0000-0000-0000-%012x}\)",
                  static_cast<unsigned>(letter.front()));
    return utf16(made.data());
}

/** With a trailing backslash; empty if the volume is mounted in no folder. */
std::wstring mountFolder(const Volume& volume) {
    std::wstring folder = utf16(settings().text("mount." + volume.letter, ""));
    if (!folder.empty() && folder.back() != L'\\') folder += L'\\';
    return folder;
}

}  // namespace

std::string Volume::text(std::string_view setting, std::string_view otherwise) const {
    return settings().text("volume." + letter + "." + std::string(setting), otherwise);
}

bool Volume::flag(std::string_view setting, bool otherwise) const {
    return number(setting, otherwise ? 1 : 0) != 0;
}

std::int64_t Volume::number(std::string_view setting, std::int64_t otherwise) const {
    return settings().number("volume." + letter + "." + std::string(setting), otherwise);
}

std::vector<Volume> volumes() {
    std::vector<Volume> result;
    for (const std::string& letter : settings().list("volumes", "C")) {
        result.push_back({letter, utf16(letter) + L":\\", guidNameOf(letter)});
    }
    return result;
}

std::optional<Volume> findVolume(std::wstring_view name) {
    if (!name.ends_with(L'\\')) return std::nullopt;
    for (const Volume& volume : volumes()) {
        if (sameIgnoringCase(name, volume.root) || sameIgnoringCase(name, volume.guidName) ||
            sameIgnoringCase(name, mountFolder(volume))) {
            return volume;
        }
    }
    return std::nullopt;
}

std::optional<std::pair<Volume, std::wstring>> volumeOf(std::wstring_view path) {
    std::optional<std::pair<Volume, std::wstring>> best;
    std::size_t longest = 0;
    for (const Volume& volume : volumes()) {
        for (const std::wstring& prefix : {volume.root, volume.guidName, mountFolder(volume)}) {
            if (prefix.size() > longest && path.size() >= prefix.size() &&
                sameIgnoringCase(path.substr(0, prefix.size()), prefix)) {
                longest = prefix.size();
                best.emplace(volume, path.substr(prefix.size()));
            }
        }
    }
    return best;
}

std::vector<Provider> providers() {
    std::vector<Provider> result{{kSystemProvider, "Microsoft Software Shadow Copy provider 1.0", VSS_PROV_SYSTEM,
                                  "1.0.0.7", guidFrom("{00000001-0000-0000-0007-000000000001}"), kSystemProviderClass}};
    if (settings().flag("hardware_provider", false)) {
        result.push_back({guidFrom(settings().text("hardware_provider.id", "{7669656c-5f68-4172-8477-617265000001}")),
                          settings().text("hardware_provider.name", "Stand-in hardware provider"), VSS_PROV_HARDWARE,
                          "1.0", guidFrom("{7669656c-5f68-4172-8477-617265000002}"),
                          guidFrom("{7669656c-5f68-4172-8477-617265000003}")});
    }
    return result;
}

Provider chooseProvider(const Volume& volume, const VSS_ID& asked, LONG attributes) {
    const bool isAny = IsEqualGUID(asked, GUID_NULL);
    const bool needsHardware = attributes & (VSS_VOLSNAP_ATTR_TRANSPORTABLE | VSS_VOLSNAP_ATTR_PLEX);
    // Only the system provider makes shadows that clients see as previous versions.
    const bool isForSystem =
        static_cast<DWORD>(attributes) != VSS_CTX_ALL && attributes & VSS_VOLSNAP_ATTR_CLIENT_ACCESSIBLE;
    const auto can = [&](const Provider& provider) {
        return volume.flag("supported", true) &&
               (provider.isHardware() ? !isForSystem && volume.flag("hardware", true) : !needsHardware);
    };
    bool isRegistered = isAny;
    std::vector<Provider> all = providers();
    std::ranges::stable_sort(all, {}, [](const Provider& provider) { return !provider.isHardware(); });
    for (const Provider& provider : all) {
        if (!isAny && !IsEqualGUID(asked, provider.id)) continue;
        isRegistered = true;
        if (can(provider)) return provider;
    }
    if (!isRegistered) throw Failure(VSS_E_PROVIDER_NOT_REGISTERED);
    throw Failure(isAny ? VSS_E_VOLUME_NOT_SUPPORTED : VSS_E_VOLUME_NOT_SUPPORTED_BY_PROVIDER);
}

}  // namespace vss_simulator
