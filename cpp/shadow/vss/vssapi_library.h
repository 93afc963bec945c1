#pragma once

#include <string>

#include "shadow/vss/headers.h"

namespace domino_vss::vss {

/// What is used of vssapi.dll. Looked up at run time: an import would keep the addon from loading where the DLL is
/// missing, and could find a DLL of that name elsewhere.
struct VssApi {
    HRESULT(STDAPICALLTYPE* createBackupComponents)(IVssBackupComponents**) = nullptr;
    void(STDAPICALLTYPE* freeSnapshotProperties)(VSS_SNAPSHOT_PROP*) = nullptr;
    /// nullptr where Windows has none.
    HRESULT(STDAPICALLTYPE* shouldBlockRevert)(LPCWSTR volume, VssBool* block) = nullptr;
    HRESULT(STDAPICALLTYPE* getProviderMgmtInterface)(VSS_ID provider, IID interfaceId, IUnknown**) = nullptr;
    /// nullptr where Windows has none. The first is a CVssWriterEx.
    HRESULT(STDAPICALLTYPE* createWriterEx)(void*, IVssWriterImpl**) = nullptr;
};

/// Loads the system's own library, once. Throws Failure.
[[nodiscard]] const VssApi& vssApi();

/// A new backup components object. Throws Failure.
[[nodiscard]] ComPtr<IVssBackupComponents> createBackupComponents();

}  // namespace domino_vss::vss
