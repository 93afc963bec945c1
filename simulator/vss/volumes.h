#pragma once
// The volumes of the simulated machine: drive letters of the Wine prefix, and folders with mounted volumes.

#include <windows.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "abi.h"

namespace vss_simulator {

struct Volume {
    /** `C`; the name of its settings. */
    std::string letter;
    /** `C:\`. */
    std::wstring root;
    /** `\\?\Volume{…}\`. */
    std::wstring guidName;

    std::string text(std::string_view setting, std::string_view otherwise) const;
    bool flag(std::string_view setting, bool otherwise) const;
    std::int64_t number(std::string_view setting, std::int64_t otherwise) const;
};

std::vector<Volume> volumes();
/** Finds a volume by root, GUID name or mounted folder, with a trailing backslash; nothing otherwise. */
std::optional<Volume> findVolume(std::wstring_view name);
/** The volume of a path, and the path relative to it. */
std::optional<std::pair<Volume, std::wstring>> volumeOf(std::wstring_view path);

struct Provider {
    VSS_ID id;
    std::string name;
    VSS_PROVIDER_TYPE type;
    std::string version;
    VSS_ID versionId;
    CLSID classId;

    bool isHardware() const { return type == VSS_PROV_HARDWARE; }
};

std::vector<Provider> providers();
/**
 * The provider for shadows of the volume with these attributes: the requested one, or for GUID_NULL the first suitable
 * one, hardware before the system's. Throws the reason if there is none.
 */
Provider chooseProvider(const Volume& volume, const VSS_ID& asked, LONG attributes);

}  // namespace vss_simulator
