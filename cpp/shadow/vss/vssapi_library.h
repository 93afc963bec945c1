#pragma once

#include <string>

#include "shadow/vss/headers.h"

namespace domino_vss::vss {

/// The functions of vssapi.dll that are used, resolved at run time: with an import, the addon would not load on systems
/// without the DLL, and could load a DLL of that name from another directory.
struct VssApi {
    HRESULT(STDAPICALLTYPE* createBackupComponents)(IVssBackupComponents**) = nullptr;
    void(STDAPICALLTYPE* freeSnapshotProperties)(VSS_SNAPSHOT_PROP*) = nullptr;
    /// nullptr if this Windows does not have it.
    HRESULT(STDAPICALLTYPE* shouldBlockRevert)(LPCWSTR volume, VssBool* block) = nullptr;
    HRESULT(STDAPICALLTYPE* getProviderMgmtInterface)(VSS_ID provider, IID interfaceId, IUnknown**) = nullptr;
    /// nullptr if this Windows does not have it. The first parameter is a CVssWriterEx.
    HRESULT(STDAPICALLTYPE* createWriterEx)(void*, IVssWriterImpl**) = nullptr;
};

/// Loads the system's library, once. Throws Failure.
[[nodiscard]] const VssApi& vssApi();

/// Creates a backup components object. Throws Failure.
[[nodiscard]] ComPtr<IVssBackupComponents> createBackupComponents();

}  // namespace domino_vss::vss
