#pragma once

// The system's headers for requesters, with corrections. Windows only.

#include <windows.h>

// WIN32_LEAN_AND_MEAN excludes objbase.h.
#include <objbase.h>
#include <oleauto.h>

#include <vss.h>
#include <vswriter.h>

#include <vsbackup.h>
#include <vsmgmt.h>
#include <wrl/client.h>

#include <bit>
#include <cstddef>

#include "shadow/vss/guid.h"

namespace domino_vss::vss {

using Microsoft::WRL::ComPtr;

#ifdef __MINGW32__
/// Microsoft's header has `bool`, mingw's `boolean`; both are one byte.
using VssBool = boolean;
#else
using VssBool = bool;
#endif

/// In Microsoft's header the class has a second base, IUnknown, needed to release the object. mingw's header lacks it.
struct WriterComponents : IVssWriterComponents, IUnknown {};

static_assert(sizeof(VssBool) == 1);
static_assert(sizeof(Guid) == sizeof(VSS_ID) && alignof(Guid) == alignof(VSS_ID));
static_assert(sizeof(WriterComponents) == 2 * sizeof(void*));
#ifdef _WIN64
static_assert(sizeof(VSS_SNAPSHOT_PROP) == 128 && offsetof(VSS_SNAPSHOT_PROP, m_pwszSnapshotDeviceObject) == 40);
static_assert(sizeof(VSS_PROVIDER_PROP) == 72 && sizeof(VSS_OBJECT_PROP) == 136 && offsetof(VSS_OBJECT_PROP, Obj) == 8);
static_assert(sizeof(VSS_COMPONENTINFO) == 72 && offsetof(VSS_COMPONENTINFO, bRestoreMetadata) == 44 &&
              offsetof(VSS_COMPONENTINFO, cDependencies) == 64);
#endif

[[nodiscard]] inline VSS_ID vssId(const Guid& guid) noexcept {
    return std::bit_cast<VSS_ID>(guid);
}
[[nodiscard]] inline Guid guidOf(const VSS_ID& id) noexcept {
    return std::bit_cast<Guid>(id);
}

}  // namespace domino_vss::vss
