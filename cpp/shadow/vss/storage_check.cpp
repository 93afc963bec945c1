#include "shadow/vss/storage_check.h"

#include <cstdint>
#include <optional>

#include "shadow/vss/com_string.h"
#include "shadow/vss/vssapi_library.h"
#include "system/path.h"
#include "system/windows_resources.h"

namespace domino_vss::vss {

namespace {

constexpr Guid kSystemProvider{0xb5946137, 0x7b9f, 0x4925, {0xaf, 0x80, 0x51, 0xab, 0xd6, 0x0b, 0x20, 0xd5}};

constexpr std::uint64_t kMebibyte = 1024ULL * 1024;
/// The minimum size of a difference area on Windows, and the one for small volumes.
constexpr std::uint64_t kMinimumBytes = 320 * kMebibyte;
constexpr std::uint64_t kMinimumOfSmallBytes = 32 * kMebibyte;
constexpr std::uint64_t kSmallVolumeBytes = 500 * kMebibyte;

struct DifferenceArea {
    std::string volume;
    std::optional<std::uint64_t> leftBytes;  ///< until its limit, if it has one
};

/// The existing area of the volume; nullopt if there is none or it cannot be queried.
std::optional<DifferenceArea> differenceAreaOf(const std::string& volume) {
    const VssApi& api = vssApi();
    if (api.getProviderMgmtInterface == nullptr) return std::nullopt;
    ComPtr<IUnknown> unknown;
    ComPtr<IVssDifferentialSoftwareSnapshotMgmt> management;
    ComPtr<IVssEnumMgmtObject> areas;
    std::wstring name = toUtf16(volume);
    if (FAILED(api.getProviderMgmtInterface(vssId(kSystemProvider), __uuidof(IVssDifferentialSoftwareSnapshotMgmt),
                                            unknown.GetAddressOf())) ||
        FAILED(unknown.As(&management)) ||
        FAILED(management->QueryDiffAreasForVolume(name.data(), areas.GetAddressOf())) || !areas)
        return std::nullopt;
    VSS_MGMT_OBJECT_PROP property{};
    ULONG fetched = 0;
    if (FAILED(areas->Next(1, &property, &fetched)) || fetched == 0 || property.Type != VSS_MGMT_OBJECT_DIFF_AREA)
        return std::nullopt;
    const VSS_DIFF_AREA_PROP& area = property.Obj.DiffArea;
    const unique_cotaskmem_string volumeName(area.m_pwszVolumeName);
    const unique_cotaskmem_string areaName(area.m_pwszDiffAreaVolumeName);
    DifferenceArea found{utf8Of(areaName.get()), std::nullopt};
    if (area.m_llMaximumDiffSpace >= 0)  // VSS_ASSOC_NO_MAX_SPACE is negative
        found.leftBytes = static_cast<std::uint64_t>(area.m_llMaximumDiffSpace > area.m_llUsedDiffSpace
                                                         ? area.m_llMaximumDiffSpace - area.m_llUsedDiffSpace
                                                         : 0);
    return found;
}

std::string mebibytes(std::uint64_t bytes) {
    return std::to_string(bytes / kMebibyte) + " MB";
}

}  // namespace

std::vector<Warning> checkShadowStorage(const std::string& volume) {
    const std::optional<DifferenceArea> area = differenceAreaOf(volume);
    const std::string& holder = area && !area->volume.empty() ? area->volume : volume;
    ULARGE_INTEGER available{};
    ULARGE_INTEGER total{};
    if (::GetDiskFreeSpaceExW(toUtf16(holder).c_str(), &available, &total, nullptr) == 0) return {};
    const std::uint64_t minimum = total.QuadPart < kSmallVolumeBytes ? kMinimumOfSmallBytes : kMinimumBytes;
    std::vector<Warning> warnings;
    if (available.QuadPart < minimum)
        warnings.push_back({warning_code::kShadowStorage,
                            holder + " has " + mebibytes(available.QuadPart) + " free and the shadow storage of " +
                                volume + " needs at least " + mebibytes(minimum),
                            volume});
    if (area && area->leftBytes && *area->leftBytes < minimum)
        warnings.push_back({warning_code::kShadowStorage,
                            "the shadow storage of " + volume + " can grow by only " + mebibytes(*area->leftBytes) +
                                "; when it is full, shadows vanish, the oldest first",
                            volume});
    return warnings;
}

}  // namespace domino_vss::vss
