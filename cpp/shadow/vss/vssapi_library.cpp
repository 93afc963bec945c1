#include "shadow/vss/vssapi_library.h"

#include <initializer_list>

#include "shadow/vss/com_failure.h"
#include "system/failure.h"

namespace domino_vss::vss {

namespace {

/// Finds the first of the names that the library exports: names of the current SDK first, then those that older
/// programs were linked with.
template <typename Function>
void find(HMODULE library, std::initializer_list<const char*> names, Function& function) {
    for (const char* name : names) {
        // The intermediate cast avoids a compiler warning about casts between incompatible function types.
        function = reinterpret_cast<Function>(reinterpret_cast<void (*)()>(::GetProcAddress(library, name)));
        if (function != nullptr) return;
    }
}

VssApi load() {
    // Only from the system directory: a file of this name elsewhere would run with administrator rights.
    CurrentCall::note("LoadLibraryExW", "vssapi.dll");
    const HMODULE library = ::LoadLibraryExW(L"vssapi.dll", nullptr, LOAD_LIBRARY_SEARCH_SYSTEM32);
    if (library == nullptr)
        throw systemFailure(code::kVssLibrary, Phase::probe, "LoadLibraryEx", "vssapi.dll",
                            static_cast<int>(::GetLastError()));
    VssApi api;  // never freed: objects of the library may live until the process ends
    find(library,
         {"CreateVssBackupComponentsInternal", "?CreateVssBackupComponents@@YAJPEAPEAVIVssBackupComponents@@@Z"},
         api.createBackupComponents);
    find(library, {"VssFreeSnapshotPropertiesInternal", "VssFreeSnapshotProperties"}, api.freeSnapshotProperties);
    find(library, {"ShouldBlockRevertInternal", "ShouldBlockRevert"}, api.shouldBlockRevert);
    find(library, {"GetProviderMgmtInterfaceInternal", "GetProviderMgmtInterface"}, api.getProviderMgmtInterface);
    find(library, {"CreateWriterEx"}, api.createWriterEx);
    if (api.createBackupComponents == nullptr || api.freeSnapshotProperties == nullptr)
        throw Failure(code::kVssLibrary, Phase::probe, "functions that a requester needs are missing", "vssapi.dll");
    return api;
}

}  // namespace

const VssApi& vssApi() {
    static const VssApi api = load();  // a later call tries again after a failure
    return api;
}

ComPtr<IVssBackupComponents> createBackupComponents() {
    ComPtr<IVssBackupComponents> components;
    require([&] { return vssApi().createBackupComponents(components.GetAddressOf()); }, "CreateVssBackupComponents",
            Phase::open);
    return components;
}

}  // namespace domino_vss::vss
